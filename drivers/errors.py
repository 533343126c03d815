"""What can go wrong with a camera, each with its own plain sentence.

CameraError
├── CameraUnreachableError    nothing answers at the address
├── CameraRefusedAddressError the address is one we may not talk to
├── CameraAuthenticationError the password is wrong; the camera is parked, retrying would lock the account
├── CameraNotOnvifError       something answers, but it does not speak ONVIF
├── CameraNoMediaError        ONVIF, but no usable video profile
├── CameraClockError          its clock is too far off to be evidence
├── CameraBusyError           too many sessions, or it asks us to come back later
├── CameraAnswerError         garbage: malformed, endless, too deep, a bomb
├── CameraFaultError          an orderly SOAP fault or RTSP status
└── StreamError               the stream fell, stood still or could not be understood
"""

from kernel.errors import SightlineError


class CameraError(SightlineError):
    """Root of this tree. ``address`` never holds a password."""

    code = "camera.error"


class CameraUnreachableError(CameraError):
    """Nothing answers at the address."""

    code = "camera.unreachable"


class CameraRefusedAddressError(CameraError):
    """The address is loopback, link-local, metadata or otherwise not allowed by the configuration."""

    code = "camera.address-refused"


class CameraAuthenticationError(CameraError):
    """User name or password is wrong."""

    code = "camera.authentication"


class CameraNotOnvifError(CameraError):
    """Something answers, but it does not speak ONVIF."""

    code = "camera.not-onvif"


class CameraNoMediaError(CameraError):
    """It speaks ONVIF but offers no video profile that can be recorded."""

    code = "camera.no-media"


class CameraClockError(CameraError):
    """Its clock is further off than the configuration allows."""

    code = "camera.clock"


class CameraBusyError(CameraError):
    """It has no session left for us."""

    code = "camera.busy"


class CameraAnswerError(CameraError):
    """Its answer cannot be used: malformed, endless, too deeply nested, an entity or decompression bomb."""

    code = "camera.answer"


class CameraFaultError(CameraError):
    """An orderly refusal. ``facts`` hold ``fault`` (SOAP subcode or RTSP status) and ``action``."""

    code = "camera.fault"


class StreamError(CameraError):
    """The stream fell, stood still or could not be understood."""

    code = "camera.stream"
