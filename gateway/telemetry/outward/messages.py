"""What is told to other systems: models and topics. docs/asyncapi.yaml is made of these; a test holds it to them.

No field holds what somebody typed, and none names a person: cameras go by number, shares and holds by identifier, and
an incident's reference is told where it is a number (``outward.incident_form``).
"""

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from config.outward import OutwardTopic
from gateway.deployments.geofence import LASTING, OVER
from gateway.deployments.geofence import Kind as Happening
from gateway.deployments.why import TOLD_OTHERWISE, Why
from gateway.health.need import OF_DEPLOYMENTS, Kind
from gateway.telemetry.topics import PREFIX as UNITS

PREFIX = "sightline/v1"
CAMERAS = f"{PREFIX}/cameras"
INCIDENTS = f"{PREFIX}/incidents"
DEPLOYMENTS = f"{PREFIX}/deployments"
PRESENCE = f"{PREFIX}/outward"

Code = Annotated[str, Field(max_length=64, pattern=r"^[a-z0-9.-]+$")]
"""A word of ours, as in "camera.unreachable"."""
Identifier = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Number = Annotated[int, Field(ge=1, le=9999)]
Source = Literal["unit", "health", "camera"]
STAY_OVER, TAMPER = "stay-over", "tamper"
WHOSE: dict[Source, str] = {"unit": "a unit", "health": "health", "camera": "the camera"}
ALARM_KINDS: dict[Source, tuple[str, ...]] = {
    "unit": (*(kind.value for kind in Happening if kind not in OVER), STAY_OVER),
    "health": tuple(kind.value for kind in Kind if kind not in OF_DEPLOYMENTS),
    "camera": (TAMPER,),
}
"""Every kind of alarm by what raises it: there is none that is not documented."""
DUE_KINDS = tuple(why.value for why in Why if why not in TOLD_OTHERWISE)
"""Whatever may be said to be due of a deployment."""


class Stamp(BaseModel):
    """What every message bears. ``seq`` rises by one with each of its kind in a ``boot``.

    A gap says that some are lost; among states it says that newer ones took their place. The same once more is the
    same message.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", use_attribute_docstrings=True)

    seq: Annotated[int, Field(ge=1)]
    boot: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """Made up at each start of Sightline."""
    time: AwareDatetime
    """When it was so, by Sightline's clock."""


class Said(BaseModel):
    """The rest of a message."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class CameraSaid(Said):
    """How a camera fares: kept by the broker, told again whenever it changes."""

    number: Number
    live: Literal["live", "connecting", "retrying", "parked", "off", "unknown"]
    """Whether pictures come. "parked": it does not come back by itself."""
    problem: Code | None
    """Why not, in a word, as in "camera.unreachable"."""
    recording: Literal["on", "off", "failed"]
    """Whether its main stream reaches the disk. "off": it is not to, or not yet. "failed": storage refuses it."""
    picture: Literal["black", "covered", "blurred", "moved", "frozen"] | None
    """What is wrong with its picture."""


class _Alarm(Said):
    source: Source
    """What raised it: the unit where it stands, the watch over health, or the camera itself."""
    kind: Annotated[
        Code,
        Field(
            description=" ".join(f"Of {WHOSE[source]}: {', '.join(kinds)}." for source, kinds in ALARM_KINDS.items()),
            json_schema_extra={"enum": sorted({kind for kinds in ALARM_KINDS.values() for kind in kinds})},
        ),
    ]
    over: bool
    """Whether it is over."""
    urgency: Literal["now", "today", "soon"]
    happened: AwareDatetime | None = None
    """When it happened, where we were told of it late."""
    put_off: bool = False
    """Whether somebody knows of it and has had it wait; told again when that changes."""

    @model_validator(mode="after")
    def _is_documented(self) -> Self:
        if self.kind not in ALARM_KINDS[self.source]:
            msg = f"{self.kind} is not among the kinds of {self.source} that are documented"
            raise ValueError(msg)
        return self

    @property
    def topic(self) -> str:
        """Return where it is told."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        """Return what it has in common with what tells that it is over."""
        return f"{self.topic} {self.source} {self.kind}"

    @property
    def lasts(self) -> bool:
        """Return whether it is there until it is over; a knock is not."""
        return self.source != "unit" or self.kind in {STAY_OVER, *LASTING}


class AlarmSaid(_Alarm):
    """Something is wrong with a camera, or with the unit that carries it, or no longer is."""

    number: Number

    @property
    def topic(self) -> str:
        """Return where it is told."""
        return address(OutwardTopic.ALARMS, self.number)


class UnitAlarmSaid(_Alarm):
    """Something is wrong with a unit, whether it carries a camera or not, or no longer is."""

    unit: Identifier
    """Its label."""

    @property
    def topic(self) -> str:
        """Return where it is told."""
        return unit_alarms(self.unit)


class ShareSaid(Said):
    """A camera is shown to a partner from now on, otherwise than before, or no more."""

    number: Number
    share: Identifier
    what: Literal["began", "changed", "ended"]
    until: AwareDatetime
    """When it ends by itself; of one that ended, when it did."""


class HoldSaid(Said):
    """Footage of a camera is kept from being deleted, was looked at again, or is let go."""

    number: Number
    hold: Identifier
    what: Literal["placed", "reviewed", "released"]
    start: AwareDatetime | None
    end: AwareDatetime | None
    review: AwareDatetime | None


class IncidentSaid(Said):
    """An incident is worked on: its number came up for the first time since Sightline started."""

    reference: Annotated[str, Field(max_length=40)]
    where: Annotated[tuple[Number, ...], Field(max_length=64)]
    """Cameras that it is about, by number, where that is known."""


class DueSaid(Said):
    """Something of a deployment of mobile cameras became due, or is overdue: each is told once."""

    deployment: Identifier
    what: Annotated[
        Code,
        Field(
            description="unneeded: the unit is to be taken down. signs: they still hang. sign-off: nobody has said how"
            " the unit was left. stay: its longest stay ends. decision: a referral waits for one.",
            json_schema_extra={"enum": list(DUE_KINDS)},
        ),
    ]
    by: AwareDatetime
    overdue: bool
    where: Annotated[tuple[Number, ...], Field(max_length=64)]
    """Cameras of its unit, by number, as far as one is planned."""

    @field_validator("what")
    @classmethod
    def _is_documented(cls, what: str) -> str:
        if what not in DUE_KINDS:
            msg = f"{what} is not among what is documented to become due"
            raise ValueError(msg)
        return what


class PresenceSaid(Said):
    """Sightline publishes: kept by the broker."""

    online: Literal[True]
    topics: tuple[OutwardTopic, ...]
    """What is published."""
    lost: Annotated[int, Field(ge=0)]
    """Events that were lost in this boot, as the broker was away for too long."""


class Absence(BaseModel):
    """Sightline publishes no more: its last will, hence without number and time."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    online: Literal[False] = False


KINDS: dict[OutwardTopic, type[Said]] = {
    OutwardTopic.CAMERAS: CameraSaid,
    OutwardTopic.ALARMS: AlarmSaid,
    OutwardTopic.SHARES: ShareSaid,
    OutwardTopic.HOLDS: HoldSaid,
    OutwardTopic.INCIDENTS: IncidentSaid,
    OutwardTopic.DEPLOYMENTS: DueSaid,
}
"""What is said under which opt-in."""
OF_THE_HOUSE = {OutwardTopic.INCIDENTS: INCIDENTS, OutwardTopic.DEPLOYMENTS: DEPLOYMENTS}
"""Those that are about no one camera."""
_OF_CAMERA = {
    OutwardTopic.CAMERAS: "state",
    OutwardTopic.ALARMS: "alarms",
    OutwardTopic.SHARES: "shares",
    OutwardTopic.HOLDS: "holds",
}


def address(kind: OutwardTopic, number: int | str = "{number}") -> str:
    """Return the topic of a kind, of a camera where it is about one."""
    return OF_THE_HOUSE[kind] if kind in OF_THE_HOUSE else f"{CAMERAS}/{number}/{_OF_CAMERA[kind]}"


def unit_alarms(label: str = "{label}") -> str:
    """Return the topic of a unit's alarms: beside what it says itself, and not its own to write."""
    return f"{UNITS}/{label}/alarms"


def _whole(said: type[Said]) -> type[BaseModel]:
    return type(said.__name__.removesuffix("Said") + "Told", (said, Stamp), {"__doc__": said.__doc__})


_ALL: list[type[Said]] = [*KINDS.values(), UnitAlarmSaid, PresenceSaid]
TOLD: dict[type[Said], type[BaseModel]] = {said: _whole(said) for said in _ALL}
"""Of everything that is said the message as it is on the wire: with its stamp."""
