"""What a simulated borough is to be."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from drivers.simulator.faults import Faults
from drivers.simulator.units.broker import Broker
from drivers.simulator.units.faults import UnitFaults
from kernel.media import VideoCodec

_UNIT = "unit"
"""Before a colon, a fault's word for all deployable units."""
_LOOPBACK = "127.0.0.1"
_ANY = {"0.0.0.0", "::"}  # noqa: S104 - compared with, not bound to


class BoroughSettings(BaseModel):
    """Frozen; an unknown field is an error. Sizes are pixels, ports 0 mean any free one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cameras: int = Field(default=6, ge=1, le=999)
    seed: int = 1
    host: str = "127.0.0.1"
    http_port: int = Field(default=0, ge=0, le=65_535)
    """Of the first camera; the others follow it, one port each."""
    rtsp_port: int = Field(default=0, ge=0, le=65_535)
    codec: VideoCodec = VideoCodec.H264
    """Of the main streams."""
    sub_codec: VideoCodec = VideoCodec.H264
    width: int = Field(default=1280, ge=160, le=3840)
    height: int = Field(default=720, ge=90, le=2160)
    frame_rate: float = Field(default=12.5, ge=1.0, le=60.0)
    gop_frames: int = Field(default=25, ge=1, le=1000)
    bitrate_kbit: int = Field(default=2000, ge=64, le=50_000)
    sub: tuple[int, int] | None = (640, 360)
    """Width and height of the sub streams; None: cameras without one."""
    sub_bitrate_kbit: int = Field(default=500, ge=64, le=50_000)
    faults: tuple[str, ...] = ()
    """Knobs of ``drivers.simulator.faults``: ``freeze_picture`` on all cameras, ``3:packet_loss=0.02`` on one.

    And of ``drivers.simulator.units.faults``: ``unit:lost_link`` on all units, ``unit:2:stolen`` on D002.
    """
    units: int = Field(default=0, ge=0, le=99)
    """Deployable units, each with a camera; their cameras are numbered after the others."""
    units_broker: Broker | None = None
    """Where they call in; without one they have their cameras and say nothing, until they are told where."""
    discovery: bool = False
    """Answer WS-Discovery probes and say Hello and Bye."""
    username: str = Field(default="sightline", min_length=1)
    password: str = Field(default="simulated", min_length=1)
    own_passwords: bool = False
    """Give each camera a random password in place of that one; only who starts the borough is told."""

    @field_validator("width", "height", mode="after")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            msg = f"{value} is odd, and pictures are coded in pairs of pixels. Try {value + 1}."
            raise ValueError(msg)
        return value

    @field_validator("sub", mode="after")
    @classmethod
    def _even_sub(cls, value: tuple[int, int] | None) -> tuple[int, int] | None:
        if value is not None and (value[0] % 2 or value[1] % 2 or value[0] < 160 or value[1] < 90):
            msg = f"A sub stream of {value[0]}x{value[1]} cannot be coded. Its sides are even and at least 160x90."
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _known_faults(self) -> Self:
        last = self.cameras + self.units
        for number in range(1, last + 1):
            self.faults_of(number)
        for number in range(1, self.units + 1):
            self.unit_faults_of(number)
        for fault in self.faults:
            head, colon, rest = fault.partition(":")
            if head == _UNIT and colon:
                number_of, colon, _ = rest.partition(":")
                if not self.units or (colon and not _within(number_of, self.units)):
                    there = f"numbered 1 to {self.units}, as in unit:1:stolen" if self.units else "none: ask for some"
                    msg = f"{fault!r} names no unit. Units are {there}."
                    raise ValueError(msg)
            elif colon and not _within(head, last):
                msg = f"{fault!r} names no camera. Cameras are numbered 1 to {last}, as in 3:freeze_picture."
                raise ValueError(msg)
        return self

    @property
    def unit_host(self) -> str | None:
        """Return the one address of all units, or None where they take theirs from a pool on the loopback network."""
        if self.host == _LOOPBACK:
            return None
        return _LOOPBACK if self.host in _ANY else self.host

    def faults_of(self, number: int) -> Faults:
        """Return the knobs of one camera as they stand when it is switched on.

        Raises:
            ValueError: there is no such knob, or its value is not of its kind.
        """
        mine = []
        for fault in self.faults:
            head, colon, rest = fault.partition(":")
            if not colon:
                mine.append(fault)
            elif head == str(number):
                mine.append(rest)
        return Faults.from_names(mine)

    def unit_faults_of(self, number: int) -> UnitFaults:
        """Return the knobs of one deployable unit as they stand when it is switched on.

        Raises:
            ValueError: there is no such knob, or its value is not of its kind.
        """
        mine = []
        for fault in self.faults:
            head, colon, rest = fault.partition(":")
            if head != _UNIT or not colon:
                continue
            number_of, colon, knob = rest.partition(":")
            if not colon:
                mine.append(rest)
            elif number_of == str(number):
                mine.append(knob)
        return UnitFaults.from_names(mine)


def _within(number: str, last: int) -> bool:
    return number.isdecimal() and 1 <= int(number) <= last
