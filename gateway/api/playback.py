"""What was recorded: timeline, HLS, stills, clips."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway.access.approvals import Act
from gateway.access.errors import ForbiddenError
from gateway.access.permissions import Permission
from gateway.api import models
from gateway.api.cameras import OneCamera
from gateway.api.description import answers
from gateway.api.errors import NotHereError
from gateway.api.guard import Who, actor, needs
from gateway.api.lasting import lasting
from gateway.api.ranges import ranged
from gateway.api.rooms import The
from gateway.api.spans import Span
from gateway.api.there import check_there, hidden_spans, without
from gateway.api.times import End, Instant, Start, iso, iso_after, iso_or_none, span_ns
from gateway.audit.events import Action, Actor, AuditEvent, Outcome
from gateway.fleet.hosts import HostError
from kernel.clock import to_ns
from kernel.ids import StreamName

log = structlog.get_logger()

router = APIRouter(prefix="/api/v1/cameras/{camera_id}", tags=["recordings"])

HLS_MEDIA_TYPE = "application/vnd.apple.mpegurl"
SEGMENT_MEDIA_TYPES = ("video/mp4", "video/iso.segment")
"""Of what begins a stream, and of what follows."""
Which = Annotated[StreamName, Query(description="Main or sub")]
_BrokeOff = Callable[[HostError | ForbiddenError], None]
_SEGMENT = re.compile(r"(?:init-(?P<init>[\w.-]+)\.mp4|(?P<file>[\w.-]+)-(?P<index>\d{1,9})\.m4s)")


@router.get("/timeline", **needs(Permission.VIEW_RECORDED))
async def timeline(
    camera: OneCamera, who: Who, the: The, start: Start, end: End, stream: Which = StreamName.MAIN
) -> models.Timeline:
    """Return what is recorded of a stream in a range, and the gaps with their causes.

    Nothing is told of times at which the camera stood where one may not see recordings.
    """
    start_ns, end_ns = span_ns(start, end)
    hidden = await hidden_spans(the, who, Permission.VIEW_RECORDED, camera, start_ns=start_ns, end_ns=end_ns)
    known = await the.fleet.host_of(camera).timeline(camera.id, stream, start_ns, end_ns)
    return models.Timeline(
        spans=[
            models.Span(
                start=iso_after(from_ns),
                end=iso(to_ns),
                codec=span.codec,
                width=span.width,
                height=span.height,
            )
            for span in known.spans
            for from_ns, to_ns in without(span.start_ns, span.end_ns, hidden)
        ],
        gaps=[
            models.Gap(start=iso(from_ns), end=iso_after(to_ns), cause=gap.cause, detail=gap.detail)
            for gap in known.gaps
            for from_ns, to_ns in without(gap.start_ns, gap.end_ns, hidden)
        ],
        newest=iso_or_none(known.newest_ns),
        whole=known.whole,
    )


@router.get(
    "/hls/{stream}/index.m3u8",
    response_class=Response,
    responses=answers(HLS_MEDIA_TYPE),
    **needs(Permission.VIEW_RECORDED),
)
async def playlist(
    request: Request,
    camera: OneCamera,
    stream: StreamName,
    who: Who,
    the: The,
    start: Start,
    end: Annotated[Instant | None, Query(description="Without it the list grows as recording goes on")] = None,
) -> Response:
    """Return the HLS playlist of a range.

    Of a camera that stood elsewhere it has the first part that was recorded where one may see recordings.
    """
    start_ns, end_ns = span_ns(start, end) if end is not None else (to_ns(start), None)
    hidden = await hidden_spans(the, who, Permission.VIEW_RECORDED, camera, start_ns=start_ns, end_ns=end_ns)
    part = next(iter(without(start_ns, end_ns, hidden)), None)
    if part is None:
        await check_there(request, the, who, Permission.VIEW_RECORDED, camera, start_ns=start_ns, end_ns=end_ns)
    else:
        start_ns, end_ns = part
    text = await the.fleet.host_of(camera).playlist(camera.id, stream, start_ns, end_ns)
    shown = {"start": iso(start_ns), "end": iso_or_none(end_ns)}
    span = _playing(actor(request, who), who.session, camera, stream, shown)
    if end is not None:
        # A whole list is asked for once per playback; one that grows is asked for again, so it ends by itself.
        for other in the.ledger.going_on(*_player(who.session, camera, stream)):
            if other.key != span.key and other.details.get("end") is not None:
                the.ledger.end(other.key, "another range")
    the.ledger.begin(span)
    return Response(text, media_type=HLS_MEDIA_TYPE)


@router.get(
    "/hls/{stream}/{name}",
    response_class=Response,
    responses=answers(*SEGMENT_MEDIA_TYPES) | answers(*SEGMENT_MEDIA_TYPES, status=206, description="A range of it"),
    **needs(Permission.VIEW_RECORDED),
)
async def segment(request: Request, camera: OneCamera, stream: StreamName, name: str, who: Who, the: The) -> Response:
    """Return an initialisation segment or a fragment, whole or a byte range of it."""
    found = _SEGMENT.fullmatch(name)
    if found is None:
        raise NotHereError("There is no such segment.", cure="Load the playlist again.")
    host = the.fleet.host_of(camera)
    if found["init"] is not None:
        return ranged(
            request, await host.init_segment(camera.id, stream, found["init"]), media_type=SEGMENT_MEDIA_TYPES[0]
        )
    body = await host.fragment(camera.id, stream, found["file"], int(found["index"]))
    playing = the.ledger.going_on(*_player(who.session, camera, stream))
    lists = [span for span in playing if "start" in span.details]
    if lists:
        the.ledger.begin(max(lists, key=lambda span: span.touched_ns))
    else:
        # Footage seen without its playlist is playback as well, file by file.
        the.ledger.begin(_playing(actor(request, who), who.session, camera, stream, {"file": found["file"]}))
    return ranged(request, body, media_type=SEGMENT_MEDIA_TYPES[1])


@router.get("/still", response_class=Response, responses=answers("image/jpeg"), **needs(Permission.VIEW_RECORDED))
async def still(
    request: Request, camera: OneCamera, who: Who, the: The, at: Start, stream: Which = StreamName.MAIN
) -> Response:
    """Return the recorded picture nearest to an instant; the header Sightline-Time says when it was taken."""
    found = await the.fleet.host_of(camera).still(camera.id, stream, to_ns(at))
    # By when it was taken: the nearest picture may be of another place.
    when = {"start_ns": found.wall_ns, "end_ns": found.wall_ns + 1}
    await check_there(request, the, who, Permission.VIEW_RECORDED, camera, **when)
    taken = iso(found.wall_ns)
    the.trail.note(
        AuditEvent(
            action=Action.STILL,
            actor=actor(request, who),
            subject=camera.id,
            details={"stream": stream.value, "at": taken},
        )
    )
    return Response(found.jpeg, media_type="image/jpeg", headers={"Sightline-Time": taken})


@router.get(
    "/clip.mp4",
    response_class=Response,
    responses=answers("video/mp4"),
    **needs(Permission.EXPORT, step_up=True, act=Act.EXPORT),
)
async def clip(
    request: Request, camera: OneCamera, who: Who, the: The, start: Start, end: End, stream: Which = StreamName.MAIN
) -> Response:
    """Return one MP4 of a range, not re-encoded. It begins at the keyframe at or before ``start``."""
    start_ns, end_ns = span_ns(start, end)
    await check_there(request, the, who, Permission.EXPORT, camera, start_ns=start_ns, end_ns=end_ns)
    event = AuditEvent(
        action=Action.EXPORTED,
        actor=actor(request, who),
        subject=camera.id,
        details={"stream": stream.value, "start": iso(start_ns), "end": iso(end_ns)},
    )
    export = the.fleet.host_of(camera).export(
        camera.id, stream, start_ns, end_ns, title=f"{camera.number} {camera.name}".strip()
    )
    async with AsyncExitStack() as opening:
        it = await opening.enter_async_context(lasting(the, who, Permission.EXPORT, camera.id))
        whole = await opening.enter_async_context(export)
        if it.over is not None:
            the.trail.note(replace(event, outcome=Outcome.REFUSED, details={**event.details, "error": it.over}))
            raise _broken_off(it.over)
        await the.trail.append(event, first=True)
        stack = opening.pop_all()
    name = f"camera-{camera.number:04d}_{iso(start_ns)[:19].replace(':', '-')}Z_{stream.value}.mp4"

    async def pieces() -> AsyncIterator[bytes]:
        async for piece in whole:
            if it.over is not None:
                raise _broken_off(it.over)
            yield piece

    def broke_off(error: HostError | ForbiddenError) -> None:
        log.warning("export.broken_off", camera=camera.id, error=error.code)
        details = {**event.details, "error": it.over or error.code}
        the.trail.note(replace(event, outcome=Outcome.FAILED, details=details))

    return _Clip(pieces(), name, stack=stack, broke_off=broke_off)


def _broken_off(why: str) -> ForbiddenError:
    return ForbiddenError(f"The export was broken off: {why}.", cure="Ask an administrator.")


class _Clip(StreamingResponse):
    """Streams a clip, and lets go of the host however the answer ends."""

    def __init__(self, pieces: AsyncIterator[bytes], name: str, *, stack: AsyncExitStack, broke_off: _BrokeOff) -> None:
        disposition = f'attachment; filename="{name}"'
        super().__init__(pieces, media_type="video/mp4", headers={"Content-Disposition": disposition})
        self._stack = stack
        self._broke_off = broke_off

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._stack:
                await super().__call__(scope, receive, send)
        except (HostError, ForbiddenError) as error:
            # Leaving the answer unfinished closes the connection: the client sees that the clip is not whole.
            self._broke_off(error)


def _player(session: str, camera: OneCamera, stream: StreamName) -> tuple[str, ...]:
    return ("playback", session, camera.id, stream.value)


def _playing(who: Actor, session: str, camera: OneCamera, stream: StreamName, shown: Mapping[str, str | None]) -> Span:
    return Span(
        key=(*_player(session, camera, stream), *(f"{name} {value}" for name, value in shown.items())),
        action=Action.PLAYBACK_STARTED,
        actor=who,
        session=session,
        camera=camera.id,
        details={"stream": stream.value, **shown},
    )
