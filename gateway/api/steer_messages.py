"""What a console may say on the steering WebSocket."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from gateway.api.errors import ControlSocketError
from gateway.fleet import wishes

MESSAGE_MAX_BYTES = 4096


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Take(_Said):
    """Ask for the stick."""

    t: Literal["take"]
    n: int = 0


class Release(_Said):
    """Let go of it."""

    t: Literal["release"]
    n: int = 0


class Beat(wishes.Beat):
    """The hand is still there."""

    n: int = 0


class Move(wishes.Move):
    """Move until told otherwise."""

    n: int = 0


class Stop(wishes.Stop):
    """Stand."""

    n: int = 0


class View(wishes.MoveInView):
    """Bring a point of the picture to its centre."""

    n: int = 0


class Box(wishes.ZoomBox):
    """Fill the picture with a part of it."""

    n: int = 0


class Preset(wishes.RecallPreset):
    """Go to a stored position."""

    n: int = 0


class Home(wishes.GoHome):
    """Go home."""

    n: int = 0


class Aux(wishes.Auxiliary):
    """Wiper, washer, light."""

    n: int = 0


Said = Annotated[Take | Release | Beat | Move | Stop | View | Box | Preset | Home | Aux, Field(discriminator="t")]
_SAID: TypeAdapter[Said] = TypeAdapter(Said)
_WISH: TypeAdapter[wishes.AnyWish] = TypeAdapter(wishes.AnyWish)


def parse(text: str | None) -> Said:
    """Return what a message says.

    Raises:
        ControlSocketError: nonsense.
    """
    if text is None:
        raise ControlSocketError("A binary message came.", cure="Send JSON text.")
    if len(text.encode()) > MESSAGE_MAX_BYTES:
        raise ControlSocketError(f"A message is longer than {MESSAGE_MAX_BYTES} bytes.", cure="Say less at once.")
    try:
        return _SAID.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ControlSocketError(
            f"A message is not understood ({where + ': ' if where else ''}{first['msg']}).",
            cure="The API's description lists what may be said.",
        ) from None


def wish_of(said: Said) -> wishes.AnyWish:
    """Return a message as the host takes it."""
    return _WISH.validate_python(said.model_dump(exclude={"n"}))
