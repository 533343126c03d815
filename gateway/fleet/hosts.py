"""The gateway's hand on a camera host: one method for each thing it can be asked. Every one raises ``HostError``."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from pydantic import SecretStr, TypeAdapter

from drivers.model import CameraDescription, CameraTarget, DeviceIdentity, DiscoveredDevice, EventBroker
from gateway.fleet import footage, rpc, wishes
from gateway.fleet.accounts import AccountList, AccountModel, AccountsWish, PasswordWish
from gateway.fleet.calls import (
    SILENCE_S,
    HostBusyError,
    HostError,
    HostMismatchError,
    HostSilentError,
    HostUnreachableError,
    HostWire,
    read,
    read_as,
)
from gateway.fleet.handshake import HostVersion
from gateway.fleet.held import Held, HoldList, HoldReview, HoldWish
from gateway.fleet.looking import DiscoverRequest, EventBrokerList
from gateway.fleet.outlets import Outlet, OutletEnds, OutletList
from gateway.fleet.shown import CONVERTED_HEADER, STREAM_HEADER
from gateway.fleet.viewers import OUTSIDE, EndViewers, ViewerList, ViewLimits
from kernel.head import Position, Preset
from kernel.ids import CameraId, StreamName

_STATE_LINE: TypeAdapter[rpc.StateLine] = TypeAdapter(rpc.StateLine)
_DEVICES: TypeAdapter[list[DiscoveredDevice]] = TypeAdapter(list[DiscoveredDevice])
_PRESET: TypeAdapter[Preset] = TypeAdapter(Preset)
_POSITION: TypeAdapter[Position] = TypeAdapter(Position)
_ENROL_TIMEOUT_S = 60.0
_TIMEOUT_S = 20.0
_OK = 200
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAnswer:
    """What a WHEP offer was answered with. ``etag`` comes with its quotation marks."""

    session: str
    sdp: str
    etag: str
    stream: StreamName
    """What is shown, which may be the camera's other stream."""
    converted_from: str | None = None
    """The camera's coding, where the picture is coded anew for this viewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRestart:
    """What a PATCH that restarted ICE was answered with. ``etag`` comes with its quotation marks."""

    fragment: str
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StillAnswer:
    """A picture out of the recordings and the instant it was taken."""

    jpeg: bytes
    wall_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAnswer:
    """A picture as a reference view (``gateway.health.view``), and where the camera's head stood, where it has one."""

    grey: bytes
    at: Position | None


class HostClient:
    """Speaks to one camera host. An async context manager; every method raises :class:`HostError`."""

    def __init__(self, socket: Path, *, timeout_s: float = _TIMEOUT_S) -> None:
        self.socket = socket
        self.wire = HostWire(socket, timeout_s=timeout_s)
        self._ask = self.wire.ask

    async def __aenter__(self) -> Self:
        await self.wire.http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.wire.http.__aexit__(kind, error, trace)

    # --- what the link asks, also of a host that others may not ask

    async def version(self) -> HostVersion:
        """Return who answers; a host from before this question is version 0."""
        try:
            answer = await self._ask("GET", "/version", timeout_s=SILENCE_S, by_link=True)
        except HostError as error:
            if error.status == _NOT_FOUND:
                return HostVersion()
            raise
        return read(HostVersion, answer)

    async def cameras(self) -> rpc.CameraList:
        """Return every camera it owns: its state, and the digest of what the host was told of it."""
        return read(rpc.CameraList, await self._ask("GET", "/cameras", by_link=True))

    async def states(self) -> AsyncGenerator[rpc.StateLine]:
        """Yield every change as it happens, each camera's state first, and a beat at least every second."""
        async with (
            self.wire.stream("/state", silence_s=SILENCE_S, by_link=True) as answer,
            aclosing(self.wire.heard(answer.aiter_lines())) as lines,
        ):
            async for line in lines:
                if line:
                    yield read_as(_STATE_LINE, line)

    # --- what anybody asks

    async def assign(self, assignment: rpc.CameraAssignment) -> rpc.CameraState:
        """Make the host own a camera, or change what it was told of it."""
        answer = await self._ask("PUT", f"/cameras/{assignment.id}", content=rpc.wire(assignment))
        return read(rpc.CameraState, answer)

    async def release(self, camera: CameraId) -> None:
        """Make the host let go of a camera; a camera it does not own is no error."""
        await self._ask("DELETE", f"/cameras/{camera}")

    async def outlets(self) -> OutletList:
        """Return every outlet it has, and where it listens for RTSPS."""
        return read(OutletList, await self._ask("GET", "/outlets", by_link=True))

    async def put_outlet(self, outlet: Outlet) -> OutletEnds:
        """Make the host have an outlet, or change it; returns once the views that it no longer covers have ended."""
        return read(OutletEnds, await self._ask("PUT", f"/outlets/{outlet.id}", content=rpc.wire(outlet)))

    async def remove_outlet(self, outlet: str) -> OutletEnds:
        """Take an outlet from the host; returns once its views have ended. One that it does not have is no error."""
        return read(OutletEnds, await self._ask("DELETE", f"/outlets/{quote(outlet, safe='')}"))

    async def health(self) -> rpc.HostHealth:
        """Return what the host does as a whole."""
        return read(rpc.HostHealth, await self._ask("GET", "/health"))

    async def probe(self, target: CameraTarget) -> rpc.Probed:
        """Look at a device with credentials: what enrolment would find, and a picture."""
        answer = await self._ask("POST", "/probe", content=rpc.wire(target), timeout_s=_ENROL_TIMEOUT_S)
        return read(rpc.Probed, answer)

    async def identify(self, target: CameraTarget, urn: str) -> DeviceIdentity:
        """Ask a device who it is, and nothing more; one that says it is not ``urn`` is shown no proof of ours."""
        wish = rpc.IdentifyWish(target=target, urn=urn)
        return read(DeviceIdentity, await self._ask("POST", "/identify", content=rpc.wire(wish)))

    async def stream_urls(self, target: CameraTarget) -> dict[str, str]:
        """Ask a device where its main streams are now, as the host reaches them, by the tokens of their profiles."""
        return read(rpc.StreamUrls, await self._ask("POST", "/stream-urls", content=rpc.wire(target))).urls

    async def accounts(self, target: CameraTarget, description: CameraDescription) -> tuple[AccountModel, ...]:
        """Return a camera's accounts, which it tells only to who has its password."""
        wish = AccountsWish(target=target, description=description)
        return read(AccountList, await self._ask("POST", "/accounts", content=rpc.wire(wish))).accounts

    async def set_password(self, target: CameraTarget, description: CameraDescription, password: SecretStr) -> None:
        """Give the account by which we come to a camera another password."""
        wish = PasswordWish(target=target, description=description, password=password)
        await self._ask("POST", "/password", content=rpc.wire(wish))

    async def discover(self, *, timeout_s: float = 3.0, unicast: tuple[str, ...] = ()) -> list[DiscoveredDevice]:
        """Ask the camera network who is there."""
        wish = DiscoverRequest(timeout_s=timeout_s, unicast=unicast)
        answer = await self._ask("POST", "/discover", content=rpc.wire(wish), timeout_s=timeout_s + 15.0)
        return read_as(_DEVICES, answer.content)

    async def live_offer(  # noqa: PLR0913 - the offer, and who makes it
        self,
        camera: CameraId,
        stream: StreamName,
        sdp: bytes,
        *,
        who: str,
        address: str,
        user: str = "",
        access_session: str = "",
        best: StreamName = StreamName.MAIN,
        outside: bool = False,
        until_ns: int | None = None,
    ) -> LiveAnswer:
        """Answer a WHEP offer for one viewer: their name, address, user identifier, and the session they came by.

        With ``best`` sub they are never shown the main stream in the place of the sub stream that they ask for. The
        host ends the view at ``until_ns`` by itself, and one of somebody ``outside`` where it hears no gateway.
        """
        said = {"who": who, "address": address, "user": user, "session": access_session, "best": str(best)}
        if outside:
            said["outside"] = OUTSIDE
        if until_ns is not None:
            said["until_ns"] = str(until_ns)
        answer = await self._ask(
            "POST",
            f"/cameras/{camera}/live/{stream}",
            content=sdp,
            media_type=rpc.SDP_MEDIA_TYPE,
            params=said,
        )
        session = answer.headers["location"].rsplit("/", 1)[-1]
        return LiveAnswer(
            session=session,
            sdp=answer.text,
            etag=answer.headers["etag"],
            stream=StreamName(answer.headers.get(STREAM_HEADER, stream)),
            converted_from=answer.headers.get(CONVERTED_HEADER),
        )

    async def live_patch(self, session: str, fragment: bytes, *, if_match: str | None) -> LiveRestart | None:
        """Hand over trickled candidates of a viewer, or an ICE restart; return what a restart is answered with."""
        headers = {"if-match": if_match} if if_match is not None else {}
        answer = await self._ask(
            "PATCH", f"/live/{session}", content=fragment, media_type=rpc.SDP_FRAGMENT_MEDIA_TYPE, headers=headers
        )
        if answer.status_code != _OK:
            return None
        return LiveRestart(fragment=answer.text, etag=answer.headers["etag"])

    async def live_close(self, session: str) -> None:
        """End a view."""
        await self._ask("DELETE", f"/live/{session}")

    async def viewers(self) -> tuple[rpc.ViewerState, ...]:
        """Return who watches what, and how much was sent to them."""
        return read(ViewerList, await self._ask("GET", "/live")).viewers

    async def end_viewers(
        self, *, camera: CameraId | None = None, who: str | None = None, sessions: frozenset[str] | None = None
    ) -> int:
        """End the views that match all that is given; return how many."""
        wish = EndViewers(camera=camera, who=who, sessions=sessions)
        return int((await self._ask("POST", "/live/end", content=rpc.wire(wish))).json()["ended"])

    async def limit_viewers(self, until: dict[str, int | None]) -> None:
        """Have views end by themselves at another time, by session; those that are no more are passed over."""
        await self._ask("POST", "/live/limits", content=rpc.wire(ViewLimits(until=until)))

    async def stick(self, camera: CameraId, wish: wishes.StickWish) -> rpc.StickState:
        """Take the stick, or ask who holds it. 409 ``stick.held`` where another does."""
        answer = await self._ask("POST", f"/cameras/{camera}/stick", content=rpc.wire(wish))
        return read(rpc.StickState, answer)

    async def drop_stick(self, camera: CameraId, holder: str) -> rpc.StickState:
        """Let go of the stick (the head stops); letting go of what one does not hold is no error."""
        answer = await self._ask("DELETE", f"/cameras/{camera}/stick", params={"holder": holder})
        return read(rpc.StickState, answer)

    async def steer(self, camera: CameraId, wish: wishes.SteerWish) -> None:
        """Steer, as the holder of the stick; returns when the wish is accepted, not when the head has moved."""
        await self._ask("POST", f"/cameras/{camera}/steer", content=rpc.wire(wish))

    async def presets(self, camera: CameraId) -> wishes.PresetList:
        """Return the presets of a head."""
        return read(wishes.PresetList, await self._ask("GET", f"/cameras/{camera}/presets"))

    async def store_preset(self, camera: CameraId, name: str, token: str | None = None) -> Preset:
        """Store where the head points."""
        body = rpc.wire(wishes.StorePreset(name=name, token=token))
        return read_as(_PRESET, (await self._ask("POST", f"/cameras/{camera}/presets", content=body)).content)

    async def remove_preset(self, camera: CameraId, token: str) -> None:
        """Forget a preset."""
        await self._ask("DELETE", f"/cameras/{camera}/presets/{quote(token, safe='')}")

    async def timeline(self, camera: CameraId, stream: StreamName, start_ns: int, end_ns: int) -> footage.TimelineReply:
        """Return what is recorded in a range."""
        answer = await self._ask(
            "GET", f"/cameras/{camera}/timeline/{stream}", params={"start_ns": start_ns, "end_ns": end_ns}
        )
        return read(footage.TimelineReply, answer)

    async def playlist(
        self, camera: CameraId, stream: StreamName, start_ns: int, end_ns: int | None, *, prefix: str = ""
    ) -> str:
        """Return an HLS playlist whose addresses are ``{prefix}init-{file}.mp4`` and ``{prefix}{file}-{index}.m4s``."""
        params: dict[str, str | int] = {"start_ns": start_ns, "prefix": prefix}
        if end_ns is not None:
            params["end_ns"] = end_ns
        return (await self._ask("GET", f"/cameras/{camera}/playlist/{stream}", params=params)).text

    async def init_segment(self, camera: CameraId, stream: StreamName, file_id: str) -> bytes:
        """Return the initialisation segment of a recorded file."""
        return (await self._ask("GET", f"/cameras/{camera}/init/{stream}/{file_id}")).content

    async def fragment(self, camera: CameraId, stream: StreamName, file_id: str, index: int) -> bytes:
        """Return one fragment of a recorded file."""
        return (await self._ask("GET", f"/cameras/{camera}/fragment/{stream}/{file_id}/{index}")).content

    async def still(self, camera: CameraId, stream: StreamName, at_ns: int) -> StillAnswer:
        """Return the picture nearest to an instant out of the recordings."""
        answer = await self._ask("GET", f"/cameras/{camera}/still/{stream}", params={"at_ns": at_ns})
        return StillAnswer(jpeg=answer.content, wall_ns=int(answer.headers["sightline-wall-ns"]))

    async def look(self, camera: CameraId) -> LookAnswer:
        """Return what it shows now: its host waits for a picture that comes from now on, and looks at that."""
        answer = await self._ask("GET", f"/cameras/{camera}/look")
        at = answer.headers.get(rpc.HEAD_HEADER)
        return LookAnswer(grey=answer.content, at=_POSITION.validate_json(at) if at is not None else None)

    async def snapshot(self, camera: CameraId) -> bytes:
        """Return a JPEG that the camera makes now."""
        return (await self._ask("GET", f"/cameras/{camera}/snapshot")).content

    async def event_brokers(self, camera: CameraId) -> tuple[EventBroker, ...]:
        """Return the MQTT brokers at which a camera's device publishes its events."""
        return read(EventBrokerList, await self._ask("GET", f"/cameras/{camera}/event-brokers")).brokers

    async def add_event_broker(self, camera: CameraId, broker: EventBroker) -> None:
        """Have a camera's device publish its events at a broker, or otherwise than before."""
        await self._ask("POST", f"/cameras/{camera}/event-brokers", content=rpc.wire(broker))

    async def remove_event_broker(self, camera: CameraId, address: str) -> None:
        """Have it publish there no more."""
        await self._ask("DELETE", f"/cameras/{camera}/event-brokers", params={"address": address})

    @asynccontextmanager
    async def export(
        self, camera: CameraId, stream: StreamName, start_ns: int, end_ns: int, *, title: str | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give the MP4 of a range in pieces, under a title. A refusal is raised on entering, before the first byte."""
        params: dict[str, str | int] = {"start_ns": start_ns, "end_ns": end_ns}
        if title:
            params["title"] = title
        async with self.wire.stream(f"/cameras/{camera}/export/{stream}", params=params) as answer:
            yield answer.aiter_bytes()

    async def hold(self, camera: CameraId, wish: HoldWish) -> Held:
        """Keep footage of a camera."""
        return read(Held, await self._ask("POST", f"/cameras/{camera}/holds", content=rpc.wire(wish)))

    async def holds(self, camera: CameraId) -> tuple[Held, ...]:
        """Return a camera's holds, oldest first."""
        return read(HoldList, await self._ask("GET", f"/cameras/{camera}/holds")).holds

    async def every_hold(self) -> tuple[Held, ...]:
        """Return the holds of all that this host has recorded, oldest first."""
        return read(HoldList, await self._ask("GET", "/holds")).holds

    async def review_hold(self, camera: CameraId, hold: str, review_ns: int) -> Held:
        """Have a hold looked at again at that time."""
        body = rpc.wire(HoldReview(review_ns=review_ns))
        return read(Held, await self._ask("PATCH", f"/cameras/{camera}/holds/{hold}", content=body))

    async def release_hold(self, camera: CameraId, hold: str) -> None:
        """Let retention decide again on what a hold of this camera keeps."""
        await self._ask("DELETE", f"/cameras/{camera}/holds/{hold}")

    async def erase(self, camera: CameraId, start_ns: int, end_ns: int, detail: str) -> footage.ErasureReply:
        """Delete what nothing allowed to be recorded of a camera in a range."""
        body = rpc.wire(footage.ErasureWish(start_ns=start_ns, end_ns=end_ns, detail=detail))
        reply = await self._ask("POST", f"/cameras/{camera}/erasure", content=body, timeout_s=_ENROL_TIMEOUT_S)
        return read(footage.ErasureReply, reply)

    async def verify(self, camera: CameraId | None = None) -> dict[str, Any]:
        """Check recordings against the catalog's hashes; return the report."""
        body = rpc.wire(footage.VerifyRequest(camera=camera))
        report: dict[str, Any] = (await self._ask("POST", "/verify", content=body, timeout_s=3600.0)).json()
        return report


__all__ = [
    "HostBusyError",
    "HostClient",
    "HostError",
    "HostMismatchError",
    "HostSilentError",
    "HostUnreachableError",
    "LiveAnswer",
    "StillAnswer",
]
