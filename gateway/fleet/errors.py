"""What can go wrong with the fleet.

FleetError (kernel.errors.SightlineError; ``status`` is the HTTP status that fits)
├── UnknownCameraError   no such camera
├── AnotherDeviceError   at an address there answers another device than should
├── PasswordNotTakenError a camera said that it took a password, and does not take it
├── PasswordUnsureError  the link died while a camera was given a password: both are kept
├── DesertedError        nobody vouches any more for where a camera is
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


class DesertedError(FleetError):
    """Nobody vouches any more for where a camera is."""

    code = "fleet.deserted"
    status = 409

    def __init__(self) -> None:
        super().__init__(
            "The unit that said where this camera is is retired, or its certificate is revoked: it is left alone.",
            cure="See where it is, and enrol it at that address again.",
        )


class CameraHeldError(FleetError):
    """Some of its footage is held."""

    code = "fleet.held"
    status = 409


class PasswordNotTakenError(FleetError):
    """A camera said that it took a password, and does not take it."""

    code = "fleet.password-not-taken"
    status = 502


class PasswordUnsureError(FleetError):
    """The link died while a camera was given a password: both are kept."""

    code = "fleet.password-unsure"
    status = 504
