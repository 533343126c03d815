"""Who watches from outside: their places in a share, how long a relay serves them, and how well they see."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from gateway.access.identity import Identity
from gateway.access.permissions import Role
from gateway.api.ledger import Ledger
from gateway.api.rooms import Rooms
from gateway.api.spans import SHARE, Span
from gateway.audit.events import Action, Actor
from gateway.fleet import rpc
from gateway.sharing import Sharing
from gateway.sharing.seats import Place
from kernel.ids import CameraId, StreamName


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Somebody outside, or a system of theirs, that has a view open."""

    user_id: str
    """Of a system: the identifier of its outlet."""
    kind: Literal["webrtc", "rtsp"]
    name: str
    organisation: str
    share_id: str | None
    camera: CameraId
    session: str
    seconds: int
    """Since the view was opened."""
    connected: bool
    frames_sent: int
    loss_percent: float
    """Packets that did not arrive; over RTSPS, where TCP mends that, pictures that the line could not take."""
    rtt_ms: float | None


@dataclass(frozen=True, slots=True)
class Seat:
    """Who watches, by which rule, and the best stream that they may be shown."""

    viewer: Actor
    best: StreamName = StreamName.MAIN


@contextmanager
def seated(the: Rooms, viewer: Actor, who: Identity, camera: CameraId, stream: StreamName) -> Iterator[Seat]:
    """Hold a partner's place in a share while their view is opened.

    Raises:
        NotSharedError: the share does not give that stream.
        ShareFullError: all its places are taken.
    """
    if who.role is not Role.PARTNER:
        yield Seat(viewer)
        return

    def watching(share_id: str) -> list[Place]:
        return _places(the.ledger, the.sharing, share_id)

    with the.sharing.seats.seat(who.user_id, camera, stream, watching=watching) as share:
        yield Seat(replace(viewer, rule=f"{SHARE}{share.id}"), the.sharing.shares.best(share))


def fits(ledger: Ledger, sharing: Sharing, span: Span, rule: str) -> bool:
    """Tell whether a share gives a view what it shows, and a place; of everything else nothing is asked."""
    if span.action is not Action.VIEW_STARTED or not rule.startswith(SHARE):
        return True
    asked, shown = span.streams
    showing = sharing.shares.showing(span.actor.id, span.camera, asked=asked, shown=shown)
    share = next((row for row in showing if row.id == rule.removeprefix(SHARE)), None)
    if share is None or span.rule in {rule, ""}:
        return share is not None
    return sharing.seats.free(share, (span.actor.id, span.camera), _places(ledger, sharing, share.id))


def _places(ledger: Ledger, sharing: Sharing, share_id: str) -> list[Place]:
    return [(span.actor.id, span.camera) for span in views_of(ledger, sharing, share_id)]


def relay_until_ns(the: Rooms, who: Identity, camera: CameraId) -> int | None:
    """Return until when a relay may serve a viewer at most; ``None`` where nothing limits it."""
    return the.sharing.shares.until_ns(who.user_id, camera) if who.role is Role.PARTNER else None


def views_of(ledger: Ledger, sharing: Sharing, share_id: str) -> list[Span]:
    """Return the views that are open by a share, by whatever way, in the order that they began."""
    return _views(ledger, sharing).get(share_id, [])


def _views(ledger: Ledger, sharing: Sharing) -> dict[str, list[Span]]:
    """Return the views of every share that anybody watches by."""
    found: dict[str, list[Span]] = {}
    for span in ledger.going_on("view"):
        share_id = _share_of(sharing, span)
        if share_id is not None:
            found.setdefault(share_id, []).append(span)
    return found


@contextmanager
def kept_to_shares(ledger: Ledger, sharing: Sharing) -> Iterator[None]:
    """Hold views from outside to what their shares give, and to their places, for the time of the block."""

    def looked() -> None:
        sharing.outlets.look()
        _keep_places(ledger, sharing)

    def reference_of(rule: str) -> str:
        if not rule.startswith(SHARE):
            return ""
        return next((row.reference for row in sharing.shares.open() if row.id == rule.removeprefix(SHARE)), "")

    ledger.fits = lambda span, rule: fits(ledger, sharing, span, rule)
    ledger.reference_of = reference_of
    ledger.limits.shown_until = lambda user_id, camera, asked, shown: sharing.shares.shown_until_ns(
        user_id, camera, asked=asked, shown=shown
    )
    sharing.outlets.watching = lambda: {one: len(spans) for one, spans in _views(ledger, sharing).items()}
    stop_listening = ledger.listen(looked)
    try:
        yield
    finally:
        stop_listening()


def _keep_places(ledger: Ledger, sharing: Sharing) -> None:
    """Let go of systems outside beyond the places of their share, the last that came first.

    Hosts know their own views alone, and two may let somebody in at the same moment. People are never let go of for a
    system: they asked for their place before they had it.
    """
    for share_id, views in _views(ledger, sharing).items():
        staying = [span for span in views if span.cut_reason is None]
        systems = [span for span in staying if span.outlet]
        if systems and sharing.outlets.of_share(share_id):
            beyond = len(staying) - sharing.shares.get(share_id).viewer_limit
            if beyond > 0:
                ledger.stop(systems[-beyond:], "the places of the share are taken")


def watchers(the: Rooms) -> list[Watcher]:
    """Return everybody outside who watches now, in the order that they came."""
    said = {session: state for known in the.ledger.watchers.values() for session, state in known.items()}
    return [
        _watcher(the, span, name, organisation_id, said.get(span.key[1]))
        for span in the.ledger.going_on("view")
        if span.cut_reason is None
        for name, organisation_id in _outside(the, span)
    ]


def _outside(the: Rooms, span: Span) -> Iterator[tuple[str, str]]:
    """Give the name and the organisation of somebody outside, or of a system of theirs; nothing of others."""
    if span.outlet:
        outlet = the.sharing.outlets.find(span.outlet)
        if outlet is not None:
            yield outlet.name, the.sharing.shares.get(outlet.share_id).organisation_id
        return
    one = the.sharing.partners.recipient(span.actor.id)
    if one is not None:
        yield one.name, one.organisation_id


def _watcher(the: Rooms, span: Span, name: str, organisation_id: str, state: rpc.ViewerState | None) -> Watcher:
    return Watcher(
        user_id=span.actor.id,
        kind="rtsp" if span.outlet else "webrtc",
        name=name,
        organisation=the.sharing.partners.name_of(organisation_id),
        share_id=_share_of(the.sharing, span),
        camera=span.camera,
        session=span.key[1],
        seconds=the.ledger.lasted_s(span),
        connected=state is not None and state.connected,
        frames_sent=state.frames_sent if state is not None else 0,
        loss_percent=_loss_percent(state) if state is not None else 0.0,
        rtt_ms=round(state.rtt_ms, 1) if state is not None and state.rtt_ms is not None else None,
    )


def _loss_percent(state: rpc.ViewerState) -> float:
    if state.kind == "webrtc":
        return round(state.fraction_lost * 100, 1)
    return round(100.0 * state.frames_dropped / max(1, state.frames_sent + state.frames_dropped), 1)


def _share_of(sharing: Sharing, span: Span) -> str | None:
    if span.rule.startswith(SHARE):
        return span.rule.removeprefix(SHARE)
    # A view that outlived the gateway it was opened through: the first share that gives it.
    giving = sharing.shares.given(span.actor.id)
    return next((row.id for row in giving if span.camera in row.cameras), None)
