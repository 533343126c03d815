"""What a gateway before this one left open in the record (docs/design/audit.md, *Spans*).

Playback and sticks ended with it. Views went on at hosts that went on: each is one span from its beginning to its true
end, however many gateways came and went meanwhile.
"""

import json
from collections.abc import Callable, Collection
from typing import Any

from gateway.api.spans import ENDS, SHARE, Span, view_key
from gateway.audit.events import Action, Actor, AuditEvent
from gateway.audit.leaves import Entry
from gateway.audit.trail import Trail
from gateway.fleet import rpc
from kernel.clock import Clock
from kernel.ids import CameraId

VIEW = "view"
"""The detail of a view by which the next gateway knows it again: its host's session."""
Key = tuple[str, ...]


class Unfinished:
    """Views of a gateway before, until their hosts have said whether they go on."""

    def __init__(self, trail: Trail, *, clock: Clock) -> None:
        self._trail = trail
        self._clock = clock
        self._left: dict[Key, tuple[Entry, dict[str, Any]]] = {}

    async def load(self, *, known: Callable[[CameraId], bool]) -> None:
        """Read what was left open, and end all that no host has: it lasted to this moment at most."""
        for entry in await self._trail.still_open():
            details = json.loads(entry.details)
            view = details.get(VIEW)
            if entry.action_known is Action.VIEW_STARTED and view and known(CameraId(entry.subject)):
                self._left[view_key(view)] = entry, details
            else:
                self._end(entry, "the service died; it ended by now")

    def resume(self, viewer: rpc.ViewerState) -> Span | None:
        """Return the span of a view that its host has still, as it was left; ``None`` where none was."""
        found = self._left.pop(view_key(viewer.session), None)
        if found is None:
            return None
        entry, details = found
        return Span(
            key=view_key(viewer.session),
            action=Action.VIEW_STARTED,
            actor=Actor(
                id=entry.actor_id,
                # What was erased from the record meanwhile its host still knows.
                name=entry.actor or viewer.who,
                address=entry.address or viewer.address,
                rule=entry.rule,
                reference=entry.reference,
            ),
            session="" if viewer.outlet else viewer.access_session,
            camera=viewer.camera,
            details={**details, "adopted": True},
            id=entry.span,
            outlet=viewer.outlet,
            from_ns=entry.from_ns or viewer.since_ns,
            until_ns=viewer.until_ns,
            said="" if entry.rule.startswith(SHARE) else None,
        )

    def settle(self, there: Collection[Key], *, mine: Callable[[CameraId], bool]) -> list[Key]:
        """End what a host has no more, of the cameras that are its; return which views that were."""
        over = [key for key, (entry, _) in self._left.items() if key not in there and mine(CameraId(entry.subject))]
        for key in over:
            self._end(self._left.pop(key)[0], "it ended while no gateway ran, by now")
        return over

    def _end(self, entry: Entry, reason: str) -> None:
        began = entry.action_known
        if began not in ENDS:
            return
        self._trail.note(
            AuditEvent(
                action=ENDS[began],
                actor=Actor(id=entry.actor_id, name=entry.actor, address=entry.address),
                subject=entry.subject,
                rule=entry.rule,
                reference=entry.reference,
                span=entry.span,
                from_ns=entry.from_ns,
                to_ns=max(entry.from_ns or 0, self._clock.wall_ns()),
                details={"reason": reason},
            )
        )


def found_anew(viewer: rpc.ViewerState) -> Span:
    """Return the span of a view that stands in no record: it began when its host says."""
    key, began = view_key(viewer.session), Action.VIEW_STARTED
    if viewer.outlet:
        return Span(
            key=key,
            action=began,
            actor=Actor(id=viewer.user, name=viewer.who, address=viewer.address, rule=viewer.access_session),
            session="",
            camera=viewer.camera,
            details={"stream": viewer.stream.value, "outlet": viewer.outlet},
            outlet=viewer.outlet,
            from_ns=viewer.since_ns,
        )
    # Not what a weak line carries at the moment: a view that goes back to main is one of main.
    shown: dict[str, str | int | bool | None] = {"stream": viewer.shown.value, "adopted": True}
    if viewer.asked is not viewer.shown:
        shown["asked"] = viewer.asked.value
    return Span(
        key=key,
        action=began,
        actor=Actor(id=viewer.user, name=viewer.who, address=viewer.address),
        session=viewer.access_session,
        camera=viewer.camera,
        details=shown,
        from_ns=viewer.since_ns,
        until_ns=viewer.until_ns,
    )
