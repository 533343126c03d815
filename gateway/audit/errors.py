"""What can go wrong with the audit.

AuditError (kernel.errors.SightlineError)
├── AuditUnwrittenError   an act that must be recorded could not be
├── AuditBrokenError      the record of where the log ends is missing or damaged
├── AuditKeyError         the key that signs checkpoints cannot be read, or is none
└── CheckpointError       a text is no checkpoint of this log, or not signed by its key
"""

from kernel.errors import SightlineError


class AuditError(SightlineError):
    """Root of this tree."""

    code = "audit.error"
    status = 500


class AuditUnwrittenError(AuditError):
    """An act that must be recorded could not be."""

    code = "audit.unwritten"
    status = 503


class AuditBrokenError(AuditError):
    """The record of where the log ends is missing or damaged."""

    code = "audit.broken"
    status = 503


class AuditKeyError(AuditError):
    """The key that signs checkpoints cannot be read, or is none."""

    code = "audit.key"
    status = 500


class CheckpointError(AuditError):
    """A text is no checkpoint of this log, or not signed by its key."""

    code = "audit.checkpoint"
    status = 400
