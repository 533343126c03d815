"""What can go wrong with the audit.

AuditError (kernel.errors.SightlineError)
└── AuditUnwrittenError   an act that must be recorded could not be
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
