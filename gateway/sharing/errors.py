"""What sharing refuses, and why.

SharingError (kernel.errors.SightlineError; ``status`` is the HTTP status that fits)
├── UnknownShareError     no such share, organisation, recipient, invitation or request, or not one's own
├── ShareError            a share, organisation or loan of the stick that cannot be
├── InvitationError       the code is wrong, was used, or is too old
├── OutsideError          the recipient is not where, or does not show what, their organisation agreed on
├── NotSharedError        the share does not give that stream
├── ShareFullError        as many views as the share allows are open
└── TooOftenError         too many acts in a minute, or too much of something at once
"""

from kernel.errors import SightlineError


class SharingError(SightlineError):
    """Root of this tree."""

    code = "share.error"
    status = 409


class UnknownShareError(SharingError):
    """No such share, organisation, recipient, invitation or request, or not one's own."""

    code = "share.unknown"
    status = 404


class ShareError(SharingError):
    """A share, organisation or loan of the stick that cannot be."""

    code = "share.refused"
    status = 422


class InvitationError(SharingError):
    """The code is wrong, was used, or is too old."""

    code = "share.invitation"
    status = 401


class OutsideError(SharingError):
    """The recipient is not where, or does not show what, their organisation agreed on."""

    code = "share.outside"
    status = 403


class NotSharedError(SharingError):
    """The share does not give that stream."""

    code = "share.stream"
    status = 403


class ShareFullError(SharingError):
    """As many views as the share allows are open."""

    code = "share.full"
    status = 503
    retry_after_s = 10


class TooOftenError(SharingError):
    """Too many acts in a minute, or too much of something at once."""

    code = "share.too-often"
    status = 429
    retry_after_s = 60
