"""How heads are steered (docs/design/steering.md)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class SteeringSettings(BaseModel):
    """The controller of a head, the stop ladder and the stick."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate_hz: Annotated[float, Field(gt=0, le=25)] = 10.0
    """At most this many moves a second go to one head; bursts reboot some."""
    change: Annotated[float, Field(ge=0, le=0.5)] = 0.04
    """A wish that differs by less than this share of full speed is not sent."""
    refresh_s: Annotated[float, Field(gt=0)] = 1.0
    """An unchanged move is sent again after this time, for heads that honour short timeouts only."""
    timeout_s: Annotated[float, Field(gt=0)] = 2.0
    """Timeout asked of the head with each move: its own deadman, where it has one."""
    pulse_s: Annotated[float, Field(gt=0)] = 0.4
    """The same for a head that only its own timeout stops."""
    deadman_s: Annotated[float, Field(gt=0)] = 0.4
    """Without a heartbeat for this long a moving head is stopped."""
    settle_s: Annotated[float, Field(gt=0)] = 0.2
    """Between a rung of the stop ladder and the look at the position, and between two looks."""
    rounds: Annotated[int, Field(ge=1)] = 4
    """Full rounds of the ladder before a head is marked presets only."""
    abandon_s: Annotated[float, Field(gt=0)] = 0.5
    """A request still unanswered this long after a stop was asked for is given up, so that the stop can go."""
    poll_moving_s: Annotated[float, Field(gt=0)] = 0.25
    """How often the position is asked while a head moves."""
    poll_bound_s: Annotated[float, Field(gt=0)] = 0.1
    """The same where limits or no-look zones bind whoever moves it."""
    coast_s: Annotated[float, Field(gt=0)] = 0.25
    """How long a head may take to follow a command: it is kept that much farther from limits and no-look zones."""
    blind_s: Annotated[float, Field(gt=0)] = 0.6
    """A bound head whose position was not seen for this long is stopped."""
    poll_idle_s: Annotated[float, Field(gt=0)] = 5.0
    """How often while it stands."""
    idle_release_s: Annotated[float, Field(gt=0)] = 60.0
    """A stick that its holder has not touched for this long may be taken by anybody who may steer."""
