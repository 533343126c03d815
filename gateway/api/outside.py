"""Who watches from outside: their places in a share, how long a relay serves them, and how well they see."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from gateway.access.identity import Identity
from gateway.access.permissions import Role
from gateway.api.ledger import Span
from gateway.api.rooms import Rooms
from gateway.audit.events import Actor
from gateway.fleet import rpc
from kernel.ids import CameraId, StreamName

RULE = "share:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Somebody outside who has a view open."""

    user_id: str
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
    rtt_ms: float | None


@contextmanager
def seated(the: Rooms, viewer: Actor, who: Identity, camera: CameraId, stream: StreamName) -> Iterator[Actor]:
    """Hold a partner's place in a share while their view is opened; give who watches, by which rule.

    Raises:
        NotSharedError: the share does not give that stream.
        ShareFullError: all its places are taken.
    """
    if who.role is not Role.PARTNER:
        yield viewer
        return
    with the.sharing.shares.seat(
        who.user_id, camera, stream, watching=lambda share: len(views_of(the, share))
    ) as share:
        yield replace(viewer, rule=f"{RULE}{share.id}", reference=share.reference)


def relay_until_ns(the: Rooms, who: Identity, camera: CameraId) -> int | None:
    """Return until when a relay may serve a viewer at most; ``None`` where nothing limits it."""
    return the.sharing.shares.until_ns(who.user_id, camera) if who.role is Role.PARTNER else None


def views_of(the: Rooms, share_id: str) -> list[Span]:
    """Return the views that are open by a share."""
    return [span for span in the.ledger.going_on("view") if _share_of(the, span) == share_id]


def watchers(the: Rooms) -> list[Watcher]:
    """Return everybody outside who watches now, in the order that they came."""
    said = {session: state for known in the.ledger.watchers.values() for session, state in known.items()}
    found = []
    for span in the.ledger.going_on("view"):
        one = the.sharing.partners.recipient(span.actor.id)
        if one is not None and span.cut_reason is None:
            found.append(_watcher(the, span, one.organisation_id, said.get(span.key[1])))
    return found


def _watcher(the: Rooms, span: Span, organisation_id: str, state: rpc.ViewerState | None) -> Watcher:
    one = the.sharing.partners.own(span.actor.id)
    return Watcher(
        user_id=span.actor.id,
        name=one.name,
        organisation=the.sharing.partners.organisation(organisation_id).name,
        share_id=_share_of(the, span),
        camera=span.camera,
        session=span.key[1],
        seconds=the.ledger.lasted_s(span),
        connected=state is not None and state.connected,
        frames_sent=state.frames_sent if state is not None else 0,
        loss_percent=round(state.fraction_lost * 100, 1) if state is not None else 0.0,
        rtt_ms=round(state.rtt_ms, 1) if state is not None and state.rtt_ms is not None else None,
    )


def _share_of(the: Rooms, span: Span) -> str | None:
    if span.actor.rule.startswith(RULE):
        return span.actor.rule.removeprefix(RULE)
    # A view that outlived the gateway it was opened through: the first share that gives it.
    giving = the.sharing.shares.given(span.actor.id)
    return next((row.id for row in giving if span.camera in row.cameras), None)
