"""What can go wrong with steering.

SteeringError
├── StickHeldError      somebody else holds the stick
├── StickNotHeldError   a wish from somebody who does not hold it
├── PresetsOnlyError    nothing stops this head, so it is not turned freely
├── AimError            this head cannot do that kind of move
├── OutOfBoundsError    it would look where it must not
├── BoundsUnkeptError   nothing shows where this head looks, so its bounds cannot be kept
├── HeadBusyError       too many commands are waiting
└── HeadSilentError     a request was given up because a stop had to go
"""

from kernel.errors import SightlineError


class SteeringError(SightlineError):
    """Root of this tree."""

    code = "steering.error"


class StickHeldError(SteeringError):
    """Somebody else holds the stick. ``facts``: ``holder``, ``idle_s``."""

    code = "steering.held"


class StickNotHeldError(SteeringError):
    """A wish from somebody who does not hold the stick."""

    code = "steering.not-held"


class PresetsOnlyError(SteeringError):
    """Nothing stops this head, so it is not turned freely."""

    code = "steering.presets-only"


class AimError(SteeringError):
    """This head cannot do that kind of move."""

    code = "steering.cannot"


class OutOfBoundsError(SteeringError):
    """It would look where it must not. ``facts``: ``kind`` (zone, limit), ``bound``: its name."""

    code = "steering.out-of-bounds"


class BoundsUnkeptError(SteeringError):
    """Nothing shows where this head looks, or its bounds are of another place: they cannot be kept."""

    code = "steering.bounds-unkept"


class HeadBusyError(SteeringError):
    """Too many commands are waiting for this head."""

    code = "steering.busy"


class HeadSilentError(SteeringError):
    """A request was given up because a stop had to go."""

    code = "steering.silent"
