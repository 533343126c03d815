"""What can go wrong with the fleet.

FleetError (kernel.errors.SightlineError; ``status`` is the HTTP status that fits)
├── UnknownCameraError   no such camera
├── AnotherDeviceError   at an address there answers another device than should
└── CameraHeldError      some of its footage is held
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


class AnotherDeviceError(FleetError):
    """At an address there answers another device than should."""

    code = "fleet.another-device"
    status = 409


class CameraHeldError(FleetError):
    """Some of its footage is held."""

    code = "fleet.held"
    status = 409
