"""Cameras as the control room knows them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from drivers.model import CameraDescription, CameraView
from gateway.db.reference_views import ReferenceView
from kernel.geography import Place
from kernel.ids import CameraId
from ptz.bounds import Bounds

NUMBER_MAX = 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """One enrolled view, without its password. ``address`` is where its device is reached."""

    id: CameraId
    device_id: str
    number: int
    name: str
    street: str
    group: str
    place: Place | None
    bearing_deg: float | None
    """True bearing of the mount's forward direction."""
    hfov_deg: float | None
    """Horizontal field of view as surveyed, for a camera that does not tell."""
    recording: bool
    host: int
    enrolled_ns: int
    address: str
    view: CameraView
    description: CameraDescription
    bounds: Bounds = field(default_factory=Bounds)
    """Limits and no-look zones of its head."""
    reference: ReferenceView | None = field(default=None, repr=False)
    """What it is to show where it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraFacts:
    """What people say of a camera; ``None`` leaves it as it is, or to us."""

    number: int | None = None
    name: str | None = None
    street: str | None = None
    group: str | None = None
    place: Place | None = None
    bearing_deg: float | None = None
    hfov_deg: float | None = None
    recording: bool | None = None


Placed = Callable[[str], Awaitable[CameraFacts | None]]
"""Told a device's endpoint reference, answers what else says where its cameras stand: ``None`` where nothing does."""
