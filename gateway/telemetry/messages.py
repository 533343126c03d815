"""What is said on the topics: JSON, checked strictly. docs/asyncapi.yaml is these models; a test holds it to them.

A key that is not known is passed over: a unit's next firmware may say more, and is still to be heard.
"""

import ipaddress
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from kernel.clock import of_our_time

SIZE_MAX_BYTES = 4096
SEQ_MAX = 2**53 - 1
"""What every JSON reader holds exactly."""

Word = Annotated[str, Field(max_length=120, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
Bytes = Annotated[int, Field(ge=0, le=2**62)]


def _of_ip(host: str) -> str:
    ipaddress.ip_address(host)
    return host


Instant = Annotated[AwareDatetime, AfterValidator(of_our_time)]
"""Anybody may say any year: what does not fit into a database is malformed."""
Port = Annotated[int, Field(ge=1, le=65_535)]


class Message(BaseModel):
    """What every message bears. ``seq`` rises within a ``boot``; ``time`` is by the sender's clock."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="ignore", allow_inf_nan=False, use_attribute_docstrings=True
    )

    seq: Annotated[int, Field(ge=0, le=SEQ_MAX)]
    boot: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{4,64}$")]
    """Made up at each start of the sender."""
    time: Instant
    unit: Annotated[str, Field(max_length=32)] | None = None
    """The sender's label, for one that wishes to say it: then it is that of the topic."""


class Birth(Message):
    """A unit has come: the first that it says, kept by the broker."""

    online: Literal[True]
    firmware: Word


class Will(BaseModel):
    """A unit is gone. Left with the broker when the unit comes, hence without number and time."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    online: Literal[False]


class Battery(Message):
    """The battery."""

    percent: Annotated[float, Field(ge=0, le=100)]
    volts: Annotated[float, Field(ge=0, le=1000)]
    charging: bool


class Supply(Message):
    """What the unit runs on."""

    source: Literal["mains", "battery", "solar"]


class Signal(Message):
    """The mobile network: reference signal received power and quality (3GPP TS 36.214), operator and cell."""

    rsrp_dbm: Annotated[float, Field(ge=-200, le=0)]
    rsrq_db: Annotated[float, Field(ge=-60, le=60)]
    operator: Word
    cell: Word
    technology: Word


class Position(Message):
    """Where the unit is by satellites. WGS 84."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    accuracy_m: Annotated[float, Field(ge=0, le=1_000_000)]
    satellites: Annotated[int, Field(ge=0, le=500)]


class Heading(Message):
    """Where the unit looks: degrees from true north, clockwise."""

    bearing_deg: Annotated[float, Field(ge=0, lt=360)]


class Tilt(Message):
    """How the unit hangs."""

    pitch_deg: Annotated[float, Field(ge=-180, le=180)]
    roll_deg: Annotated[float, Field(ge=-180, le=180)]


class Temperature(Message):
    """Inside the case."""

    celsius: Annotated[float, Field(ge=-100, le=200)]


class Case(Message):
    """The case."""

    open: bool


class Address(Message):
    """Where the unit's camera answers now, and which camera that is."""

    host: Annotated[str, Field(min_length=2, max_length=45, pattern=r"^[0-9a-fA-F.:]+$"), AfterValidator(_of_ip)]
    """An IP address: a name would be looked up in a network that is not the unit's."""
    http_port: Port
    rtsp_port: Port
    urn: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
    serial: Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[\x20-\x7e]+$")]


class Firmware(Message):
    """What the unit runs."""

    version: Word


class Disk(Message):
    """The unit's own storage."""

    free_bytes: Bytes
    size_bytes: Bytes
    fault: bool


class Data(Message):
    """What the SIM has sent since the counter was last set to nought."""

    sent_bytes: Bytes
    since: Instant


class Shock(Message):
    """Something hit the unit."""

    peak_g: Annotated[float, Field(ge=0, le=10_000)]


class Moved(Message):
    """The unit was moved."""


class Tamper(Message):
    """Somebody is at the unit."""


class LowBattery(Message):
    """The battery will soon be flat."""


class Shutdown(Message):
    """The unit is about to go."""


class Command(Message):
    """What a unit is told. Never kept by a broker; worthless after ``expires``."""

    name: ClassVar[str]

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    expires: Instant


class Locate(Command):
    """Say where you are, now."""

    name = "locate"


class Reboot(Command):
    """Start anew."""

    name = "reboot"


class Stream(Command):
    """Send this stream over the mobile network."""

    name = "stream"

    stream: Literal["main", "sub"]


class DataBudget(Command):
    """What the SIM may send in a month; null: as much as it will. Beyond that the unit sends as little as it can."""

    name = "data-budget"

    budget_bytes: Bytes | None


class Answer(Message):
    """What came of a command; ``error`` says why it was not done."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    ok: bool
    error: Word | None = None


STATES: Mapping[str, type[Message]] = MappingProxyType(
    {
        "battery": Battery,
        "supply": Supply,
        "signal": Signal,
        "position": Position,
        "heading": Heading,
        "tilt": Tilt,
        "temperature": Temperature,
        "case": Case,
        "address": Address,
        "firmware": Firmware,
        "disk": Disk,
        "data": Data,
    }
)
EVENTS: Mapping[str, type[Message]] = MappingProxyType(
    {"shock": Shock, "moved": Moved, "tamper": Tamper, "low_battery": LowBattery, "shutdown": Shutdown}
)
COMMANDS: Mapping[str, type[Command]] = MappingProxyType(
    {kind.name: kind for kind in (Locate, Reboot, Stream, DataBudget)}
)
ENVELOPE = frozenset(Message.model_fields)
"""What every message bears: the rest is what it says."""
