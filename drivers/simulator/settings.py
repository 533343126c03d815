"""What a simulated borough is to be."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from drivers.simulator.faults import Faults
from kernel.media import VideoCodec


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
    """Knobs of ``drivers.simulator.faults``: ``freeze_picture`` on all cameras, ``3:packet_loss=0.02`` on one."""
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
        for number in range(1, self.cameras + 1):
            self.faults_of(number)
        for fault in self.faults:
            head, colon, _ = fault.partition(":")
            if colon and not (head.isdecimal() and 1 <= int(head) <= self.cameras):
                msg = f"{fault!r} names no camera. Cameras are numbered 1 to {self.cameras}, as in 3:freeze_picture."
                raise ValueError(msg)
        return self

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
