"""A vault with one key that is forgotten with it: seals for a context, and opens for that one alone."""

from typing import Any

from cryptography.fernet import Fernet


class OneKeyVault:
    """Satisfies ``gateway.access.factors.Vault``."""

    def __init__(self) -> None:
        self._box = Fernet(Fernet.generate_key())

    def seal(self, secret: str, *, context: str) -> bytes:
        """Return the sealed secret."""
        return self._box.encrypt(f"{context}\0{secret}".encode())

    async def sealer(self, transaction: Any) -> "OneKeyVault":
        """Return what seals in a transaction."""
        return self

    async def open(self, sealed: bytes, *, context: str) -> str:
        """Return what was sealed."""
        found, _, secret = self._box.decrypt(sealed).decode().partition("\0")
        assert found == context, f"sealed for {found}, opened for {context}"
        return secret
