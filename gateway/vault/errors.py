"""What can go wrong with secrets at rest.

VaultError (kernel.errors.SightlineError; ``status`` is the HTTP status that fits)
├── KeyFileError           the keys are missing, unreadable, readable by others, or no keys
├── SealedElsewhereError   a stored secret opens with none of the keys, or was moved or altered
└── RotatingError          somebody else is changing the keys just now
"""

from kernel.errors import SightlineError


class VaultError(SightlineError):
    """Root of this tree."""

    code = "vault.error"
    status = 500


class KeyFileError(VaultError):
    """The keys cannot be used."""

    code = "vault.key"


class SealedElsewhereError(VaultError):
    """A stored secret cannot be opened."""

    code = "vault.sealed"


class RotatingError(VaultError):
    """Another command is changing the keys."""

    code = "vault.rotating"
    status = 409
