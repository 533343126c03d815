"""What is wished of a head, as it goes to the camera host: the stick, the ways to move, presets."""

from typing import Annotated, Literal

from pydantic import Field

from gateway.fleet.rpc import Message
from kernel.head import HeadAbilities, Preset
from ptz.arbitration import Priority


class StickWish(Message):
    """Take the stick of a head (``take``), or only ask who holds it. ``holder`` is opaque to the host: one console."""

    holder: str = Field(min_length=1, max_length=200)
    name: str = ""
    take: bool = True
    priority: Priority = Priority.ROOM


class Move(Message):
    """Move at shares of the greatest speed, until the next wish or 0.4 s without a beat."""

    t: Literal["move"] = "move"
    pan: float = Field(default=0.0, ge=-1.0, le=1.0, allow_inf_nan=False)
    tilt: float = Field(default=0.0, ge=-1.0, le=1.0, allow_inf_nan=False)
    zoom: float = Field(default=0.0, ge=-1.0, le=1.0, allow_inf_nan=False)


class Stop(Message):
    """Stand still."""

    t: Literal["stop"] = "stop"


class MoveInView(Message):
    """Bring a point of the picture to its centre: -1..+1 is half the picture's width and height."""

    t: Literal["view"] = "view"
    right: float = Field(ge=-1.0, le=1.0, allow_inf_nan=False)
    up: float = Field(ge=-1.0, le=1.0, allow_inf_nan=False)


class ZoomBox(Message):
    """Fill the picture with a part of it: corners in 0..1 from the top left."""

    t: Literal["box"] = "box"
    x0: float = Field(ge=0.0, le=1.0, allow_inf_nan=False)
    y0: float = Field(ge=0.0, le=1.0, allow_inf_nan=False)
    x1: float = Field(ge=0.0, le=1.0, allow_inf_nan=False)
    y1: float = Field(ge=0.0, le=1.0, allow_inf_nan=False)


class RecallPreset(Message):
    """Go to a stored position."""

    t: Literal["preset"] = "preset"
    token: str


class GoHome(Message):
    """Go to the home position."""

    t: Literal["home"] = "home"


class Auxiliary(Message):
    """Send one of the commands the head advertises (wiper, washer, light)."""

    t: Literal["aux"] = "aux"
    command: str


class Beat(Message):
    """The operator's hand is still there."""

    t: Literal["beat"] = "beat"


AnyWish = Annotated[
    Move | Stop | MoveInView | ZoomBox | RecallPreset | GoHome | Auxiliary | Beat, Field(discriminator="t")
]


class SteerWish(Message):
    """What the holder of a stick wants of the head. ``priority`` says whose bounds are kept."""

    holder: str
    wish: AnyWish
    priority: Priority = Priority.ROOM


class StorePreset(Message):
    """Store where the head points now; ``token`` overwrites that preset."""

    name: str = Field(min_length=1, max_length=64)
    token: str | None = None


class PresetList(Message):
    """The presets of a head, placeholders hidden."""

    presets: tuple[Preset, ...]
    abilities: HeadAbilities
