"""What can go wrong with what needs a person.

HealthError (kernel.errors.SightlineError; ``status`` is the HTTP status that fits)
├── NoSuchNeedError   nothing of that kind needs a person at that camera
└── PutOffError       it cannot be put off until then
"""

from kernel.errors import SightlineError


class HealthError(SightlineError):
    """Root of this tree."""

    code = "health.error"
    status = 500


class NoSuchNeedError(HealthError):
    """Nothing of that kind needs a person at that camera."""

    code = "health.no-such-need"
    status = 404


class PutOffError(HealthError):
    """It cannot be put off until then."""

    code = "health.put-off"
    status = 422
