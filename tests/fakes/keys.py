"""Keys in memory, and a hand on them."""

from gateway.vault import Key, Ring, Vault
from gateway.vault.keyfile import Stamp


class Memory:
    """Where a vault's keys come from. ``put`` changes them as a rotation elsewhere would; ``reads`` counts looks."""

    def __init__(self, *keys: Key) -> None:
        self.keys = keys
        self.reads = 0
        self._written = 0

    @classmethod
    def of(cls, *secrets: bytes) -> "Memory":
        """Return keys made of these bytes, the current one first."""
        return cls(*(Key(secret) for secret in secrets))

    @property
    def vault(self) -> Vault:
        """Return a vault with these keys."""
        return Vault.of(self)

    def put(self, *keys: Key) -> None:
        """Change the keys."""
        self.keys = keys
        self._written += 1

    def stamp(self) -> Stamp | None:
        """Return the number of changes."""
        return Stamp(self._written, 0)

    def load(self) -> Ring:
        """Return the keys."""
        self.reads += 1
        return Ring(self.keys)
