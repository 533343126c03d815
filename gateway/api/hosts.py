"""Camera hosts as a supervisor sees them: whether each is up, what it carries, and who watches through it."""

from typing import Annotated

from fastapi import APIRouter, Depends

from gateway.access.permissions import Permission
from gateway.api import showing
from gateway.api.errors import NotHereError
from gateway.api.guard import needs
from gateway.api.host_models import HostCameras, HostModel, HostViewer
from gateway.api.rooms import Rooms, The
from gateway.api.times import iso
from gateway.fleet import rpc
from gateway.fleet.cameras import Camera
from gateway.fleet.links import HostLink

router = APIRouter(prefix="/api/v1/hosts", tags=["hosts"])

DEAD = "host.unreachable"
"""Nothing answers on its socket: its process is gone, and nothing of its is recorded. Any other host that is not up may
be recording all it was told."""


async def _host(host: int, the: The) -> HostLink:
    if not 0 <= host < len(the.fleet.links):
        raise NotHereError(f"There is no camera host {host}.", cure="GET /api/v1/hosts lists them.")
    return the.fleet.links[host]


OneHost = Annotated[HostLink, Depends(_host)]
"""The host that a path names by its index; 404 where there is none."""


@router.get("", **needs(Permission.SUPERVISE))
async def hosts(the: The) -> list[HostModel]:
    """Return every camera host with its load. Nothing is asked of the hosts: it is what they told last."""
    cameras: dict[int, list[Camera]] = {}
    for camera in the.fleet.cameras():
        cameras.setdefault(camera.host, []).append(camera)
    return [_shown(the, link, cameras.get(link.index, [])) for link in the.fleet.links]


@router.get("/{host}", **needs(Permission.SUPERVISE))
async def host(link: OneHost, the: The) -> HostModel:
    """Return one camera host."""
    return _shown(the, link, [camera for camera in the.fleet.cameras() if camera.host == link.index])


@router.get("/{host}/viewers", **needs(Permission.SUPERVISE))
async def viewers(link: OneHost, the: The) -> list[HostViewer]:
    """Ask a host who watches what through it, and how well."""
    numbers = {camera.id: camera.number for camera in the.fleet.cameras()}
    return [_watching(viewer, numbers.get(viewer.camera)) for viewer in await link.client.viewers()]


def _shown(the: Rooms, link: HostLink, cameras: list[Camera]) -> HostModel:
    return HostModel(
        index=link.index,
        name=link.place.name,
        up=link.up,
        problem=None if link.up else showing.trouble(link.problem),
        restart=link.place.restart,
        version=link.version,
        cameras=_counted(the, link, cameras),
        load=link.load,
    )


def _counted(the: Rooms, link: HostLink, cameras: list[Camera]) -> HostCameras:
    states = {camera.id: the.fleet.state(camera.id) for camera in cameras}
    dead = link.problem is not None and link.problem.type == DEAD
    return HostCameras(
        assigned=len(cameras),
        live=sum(state is not None and state.live is rpc.LiveState.LIVE for state in states.values()),
        to_record=sum(camera.recording for camera in cameras),
        recording=sum(camera.recording and _recorded(states[camera.id]) for camera in cameras)
        if link.up or dead
        else None,
    )


def _recorded(state: rpc.CameraState | None) -> bool:
    return state is not None and state.main.recording is not None and state.main.recording.on


def _watching(viewer: rpc.ViewerState, number: int | None) -> HostViewer:
    return HostViewer(
        id=viewer.session,
        camera=viewer.camera,
        number=number,
        stream=viewer.stream,
        transcoded=viewer.transcoded,
        kind=viewer.kind,
        outlet=viewer.outlet,
        who=viewer.who,
        user_id=viewer.user,
        address=viewer.address,
        since=iso(viewer.since_ns),
        connected=viewer.connected,
        loss_percent=round(100.0 * viewer.fraction_lost, 1),
        packets_lost=viewer.packets_lost,
        retransmitted=viewer.retransmitted,
        rtt_ms=viewer.rtt_ms,
        frames_sent=viewer.frames_sent,
        frames_dropped=viewer.frames_dropped,
        packets_sent=viewer.packets_sent,
        bytes_sent=viewer.bytes_sent,
    )
