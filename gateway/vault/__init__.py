"""Secrets at rest: sealed with AES-256-GCM under keys that change while they are in use (docs/design/secrets.md)."""

from gateway.vault.errors import KeyFileError, SealedElsewhereError, VaultError
from gateway.vault.keyfile import KeyFile
from gateway.vault.ring import Key, Ring
from gateway.vault.vault import Sealer, Vault

__all__ = ["Key", "KeyFile", "KeyFileError", "Ring", "SealedElsewhereError", "Sealer", "Vault", "VaultError"]
