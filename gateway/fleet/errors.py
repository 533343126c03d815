"""What can go wrong with the fleet.

FleetError (kernel.errors.SightlineError; ``status`` is the HTTP status that fits)
├── UnknownCameraError   no such camera
└── KeyFileError         the key that camera passwords are sealed with is missing, wrong or readable by others
"""

from kernel.errors import SightlineError


class FleetError(SightlineError):
    """Root of this tree."""

    code = "fleet.error"
    status = 500


class UnknownCameraError(FleetError):
    """No such camera."""

    code = "fleet.unknown-camera"
    status = 404


class KeyFileError(FleetError):
    """The key that camera passwords are sealed with cannot be used."""

    code = "fleet.key"
    status = 500
