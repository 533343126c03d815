"""What can go wrong with the database.

DatabaseError (kernel.errors.SightlineError)
├── DatabaseUnusableError   it cannot be opened: read-only, full, not ours, newer than we are
└── ConflictError           a value that must be unique is taken
"""

from kernel.errors import SightlineError


class DatabaseError(SightlineError):
    """Root of this tree."""

    code = "database.error"
    status = 500


class DatabaseUnusableError(DatabaseError):
    """The database cannot be opened or written."""

    code = "database.unusable"
    status = 503


class ConflictError(DatabaseError):
    """A value that must be unique is taken."""

    code = "database.conflict"
    status = 409
