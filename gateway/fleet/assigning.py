"""What a host is told of a camera that it is to own."""

from collections.abc import Callable

from drivers.model import CameraTarget
from gateway.fleet import rpc
from gateway.fleet.cameras import Camera

Withheld = Callable[[str], tuple[str, int | None]]
"""Of a device, by its endpoint reference: why nothing may be recorded, and from when on (``None``: now); or empty."""


def assigned(
    camera: Camera, target: CameraTarget, *, withheld: tuple[str, int | None], small_only: bool
) -> rpc.CameraAssignment:
    """Return the assignment of a camera. ``withheld`` as of :data:`Withheld`; ``small_only``: its sub stream alone."""
    why, from_ns = withheld if camera.recording else ("", None)
    return rpc.CameraAssignment(
        id=camera.id,
        number=camera.number,
        name=camera.name,
        target=target,
        view=camera.view,
        description=camera.description,
        recording=camera.recording,
        withheld=why,
        withheld_from_ns=from_ns,
        bearing_deg=camera.bearing_deg,
        bounds=camera.bounds,
        reference=camera.reference.grey if camera.reference is not None else b"",
        reference_at=camera.reference.at if camera.reference is not None else None,
        small_only=small_only,
    )
