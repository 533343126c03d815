"""What is going on: views, sticks and playback, each with a beginning and an end in the audit.

A view ends when the viewer says so, when its host no longer knows it, or with the session it was opened through. It
does not end with the gateway where its host goes on (``gateway.api.unfinished``).
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog

from gateway.access.decision import Decider
from gateway.access.identity import SessionState
from gateway.access.service import Access
from gateway.api.limits import Limits
from gateway.api.spans import ENDS, NEEDS, Span, view_key
from gateway.api.unfinished import VIEW, Unfinished, found_anew
from gateway.audit.events import Action, AuditEvent
from gateway.audit.trail import Trail
from gateway.db.errors import DatabaseError
from gateway.fleet import rpc
from gateway.fleet.changes import ViewerChanged
from gateway.fleet.errors import UnknownCameraError
from gateway.fleet.hosts import HostClient, HostError
from gateway.fleet.links import HostLink
from gateway.fleet.service import Fleet
from gateway.listeners import Listeners
from kernel.clock import NS_PER_S, Clock, every
from kernel.ids import CameraId, new_id

log = structlog.get_logger()

SWEEP_S = 2.0
PLAYBACK_IDLE_S = 30.0
OVER_KEPT = 1024


class Ledger:
    """Open spans. Made by :func:`open_ledger`."""

    def __init__(self, trail: Trail, fleet: Fleet, *, clock: Clock, access: Access, decider: Decider) -> None:
        self._trail = trail
        self._fleet = fleet
        self._clock = clock
        self._access = access
        self._decider = decider
        self._spans: dict[tuple[str, ...], Span] = {}
        self._offers = 0
        self._closing: set[asyncio.Task[None]] = set()
        self._worked_on: dict[str, str] = {}
        """The reference that a session said last, where it said one since we began."""
        self._over: deque[tuple[str, ...]] = deque(maxlen=OVER_KEPT)
        """Views that ended lately: their host may list them for a moment longer."""
        self.watchers: dict[HostClient, dict[str, rpc.ViewerState]] = {}
        """What each host said last of its viewers, by its session: how well their lines carry."""
        self.fits: Callable[[Span, str], bool] = lambda _, __: True
        """Whether a rule that allows something gives it as it is: a share the stream that is shown, for instance."""
        self.reference_of: Callable[[str], str] = lambda _: ""
        """The incident or request that a rule stands for, where it does: a share's."""
        self._listening: Listeners[[]] = Listeners("view.untold")
        self.limits = Limits(decider, owner=self._owner)
        self._unfinished = Unfinished(trail, clock=clock)
        self._linked: set[HostClient] = set()
        """Hosts that were linked when they were asked before."""

    # --- any span

    def begin(self, span: Span) -> None:
        """Note that something began; one that is going on already just goes on."""
        now_ns = self._clock.monotonic_ns()
        span.touched_ns = now_ns
        open_one = self._spans.get(span.key)
        if open_one is not None:
            open_one.touched_ns = now_ns
            return
        # A WebSocket knows who opened it and what they worked on then.
        span.said = self._worked_on.get(span.session, span.actor.reference if span.said is None else span.said)
        span.actor = replace(span.actor, reference=span.said or self.reference_of(span.rule))
        if span.action is Action.VIEW_STARTED:
            span.details[VIEW] = span.key[1]
        self._enter(span)
        self._trail.note(
            AuditEvent(
                action=span.action,
                actor=span.actor,
                subject=span.camera,
                span=span.id,
                from_ns=span.from_ns,
                details=dict(span.details),
            )
        )
        self._tell(span)

    def _enter(self, span: Span) -> None:
        now_ns, wall_ns = self._clock.monotonic_ns(), self._clock.wall_ns()
        span.from_ns = min(span.from_ns, wall_ns) or wall_ns
        span.began_ns = now_ns - (wall_ns - span.from_ns)
        self._spans[span.key] = span

    def listen(self, call: Callable[[], None]) -> Callable[[], None]:
        """Call ``call`` whenever a view has begun or ended; returns the detaching call."""
        return self._listening.add(call)

    def _tell(self, span: Span) -> None:
        if span.action is Action.VIEW_STARTED:
            self._listening.tell()

    def get(self, key: tuple[str, ...]) -> Span | None:
        """Return what is going on under ``key``."""
        return self._spans.get(key)

    def going_on(self, *prefix: str) -> list[Span]:
        """Return what is going on under the keys that begin so."""
        return [span for span in self._spans.values() if span.key[: len(prefix)] == prefix]

    def of_user(self, user_id: str) -> list[Span]:
        """Return what somebody does now."""
        return [span for span in self._spans.values() if span.actor.id == user_id]

    def only_by(self, rule: str, decider: Decider) -> list[Span]:
        """Return what would end if this rule were gone: what no other rule allows its user."""
        return [
            span
            for span in self._spans.values()
            if span.cut_reason is None
            and decider.rights_of(span.actor.id).without(rule).rule(NEEDS[span.action], span.camera) is None
        ]

    def lasted_s(self, span: Span) -> int:
        """Return for how many seconds something has been going on."""
        return (self._clock.monotonic_ns() - span.began_ns) // NS_PER_S

    @property
    def open_spans(self) -> int:
        """Return how many things are going on."""
        return len(self._spans)

    def end(self, key: tuple[str, ...], reason: str, *, at_ns: int | None = None) -> None:
        """Note that something ended, now or at ``at_ns``; ending it twice is harmless."""
        span = self._spans.pop(key, None)
        if span is None:
            return
        if span.action is Action.VIEW_STARTED:
            self._over.append(key)
        lasted_s = self.lasted_s(span) if at_ns is None else max(0, at_ns - span.from_ns) // NS_PER_S
        self._trail.note(
            AuditEvent(
                action=ENDS[span.action],
                actor=span.actor,
                subject=span.camera,
                span=span.id,
                from_ns=span.from_ns,
                # The clock may have been set back meanwhile.
                to_ns=max(span.from_ns, at_ns if at_ns is not None else self._clock.wall_ns()),
                details={**span.details, "seconds": lasted_s, "reason": reason},
            )
        )
        self._tell(span)

    def session_ended(self, session: str) -> None:
        """End what went through a session: its viewers are cut off at their hosts."""
        self._worked_on.pop(session, None)
        self.stop([span for span in self._spans.values() if span.session == session], "session ended")

    def reference_changed(self, session: str, reference: str) -> None:
        """Enter what goes on through a session anew: from here it is for another incident or request."""
        self._worked_on[session] = reference
        for span in [span for span in self._spans.values() if span.session == session and span.cut_reason is None]:
            self._anew(span, "goes on for another reference")

    def _anew(self, span: Span, reason: str, *, rule: str | None = None) -> None:
        """Have what goes on end in the record, and begin as something else."""
        self.end(span.key, reason)
        if span.action is Action.VIEW_STARTED:
            self._over.remove(span.key)
        counted = {"moves": 0, "presets": 0} if span.action is Action.STICK_TAKEN else {}
        actor = span.actor if rule is None else replace(span.actor, rule=rule)
        self.begin(replace(span, id=new_id(), from_ns=0, actor=actor, details={**span.details, **counted}))

    def rights_changed(self) -> None:
        """End what somebody may do no longer. What they may by another rule only is entered anew, under that."""
        self.stop([one for one in tuple(self._spans.values()) if not self._goes_on(one)], "right ended")
        self.limits.look(self.going_on("view"))

    def check(self, span: Span) -> None:
        """End what was just begun where its right or its session ended while it was being opened."""
        if self._access.has_ended(span.session):
            self.stop([span], "session ended")
        elif not self._goes_on(span):
            self.stop([span], "right ended")
        elif (now := self._spans.get(span.key)) is not None:
            self.limits.look([now])

    def _goes_on(self, span: Span) -> bool:
        """Return whether something may go on; from here under another rule, where its own allows it no more."""
        if span.outlet or self._spans.get(span.key) is not span:
            return True  # what hosts let in by an outlet is worked out where those are kept
        rules = self._decider.rules(span.actor.id, span.session, NEEDS[span.action], span.camera)
        fitting = [rule for rule in rules if self.fits(span, rule)]
        if fitting and span.rule and span.rule not in fitting and span.cut_reason is None:
            self._anew(span, "goes on by another right", rule=fitting[0])
        return bool(fitting)

    def stop(self, spans: Collection[Span], reason: str) -> None:
        """End what is given; the views among it by one call to each host, so that many end as fast as one."""
        cutting: dict[HostClient, list[Span]] = {}
        for span in spans:
            host = self._owner(span.camera) if span.action is Action.VIEW_STARTED else None
            if host is None:
                self.end(span.key, reason)
            elif span.cut_reason is None:
                span.cut_reason = reason
                cutting.setdefault(host, []).append(span)
        for host, views in cutting.items():
            task = asyncio.get_running_loop().create_task(self._cut(host, views))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def session_turned(self, session: str, state: SessionState) -> None:
        """Let go of sticks and end playback of a session that was locked; its pictures stay."""
        if state is SessionState.OPEN:
            return
        for span in [span for span in self._spans.values() if span.session == session]:
            if span.action is not Action.VIEW_STARTED:
                self.end(span.key, "locked")

    def camera_removed(self, camera: CameraId) -> None:
        """End what went on at a camera that is no more."""
        for span in [span for span in self._spans.values() if span.camera == camera]:
            self.end(span.key, "camera removed")
        self._over.extend(self._unfinished.settle((), mine=lambda one: one == camera))

    # --- views

    def heard(self, change: ViewerChanged) -> None:
        """Note who comes and goes by a door that we do not keep (a partner's own system), and who went unheard."""
        match change:
            case ViewerChanged(rpc.ViewerCame(viewer=viewer)) if view_key(viewer.session) not in self._over:
                self._adopt(viewer)
            case ViewerChanged(rpc.ViewerWent(viewer=viewer, reason=reason, wall_ns=at_ns)):
                key = view_key(viewer.session)
                if key not in self._spans and key not in self._over:
                    self._adopt(viewer)  # nobody listened when it came, or it is of a gateway before us
                span = self._spans.get(key)
                self.end(key, (span.cut_reason if span is not None else None) or reason, at_ns=at_ns)
            case _:
                pass

    def _adopt(self, viewer: rpc.ViewerState) -> None:
        """Take over a view that was opened through a gateway before us, or by no gateway at all."""
        resumed = self._unfinished.resume(viewer)
        if resumed is None:
            self.begin(found_anew(viewer))
        else:
            self._enter(resumed)
            self._tell(resumed)

    @asynccontextmanager
    async def offering(self) -> AsyncIterator[None]:
        """Mark that a host may know a viewer before we do."""
        self._offers += 1
        try:
            yield
        finally:
            self._offers -= 1

    async def _cut(self, host: HostClient, views: Collection[Span]) -> None:
        """Cut viewers off at their host; until that succeeds their views go on, and the sweep tries again."""
        try:
            await host.end_viewers(sessions=frozenset(span.key[1] for span in views))
        except HostError as error:
            log.warning("view.uncut", views=len(views), error=error.code)
            return
        for span in views:
            self.end(span.key, span.cut_reason or "cut off")

    # --- sweeping

    async def load(self) -> None:
        """Read what a gateway before us left open; views among it are their hosts' to tell of."""
        await self._unfinished.load(known=lambda camera: self._owner(camera) is not None)

    async def run(self) -> None:
        """End what has ended unsaid, for ever."""
        async with every(self._clock, SWEEP_S) as ticks:
            async for _ in ticks:
                await self.sweep()

    async def sweep(self) -> None:
        """End playback nobody asks for any more, views that their host no longer knows, and what lost its session.

        Another process may have ended a session, or a right while no gateway ran to hear of it.
        """
        stale_ns = self._clock.monotonic_ns() - round(PLAYBACK_IDLE_S * NS_PER_S)
        for span in list(self._spans.values()):
            if span.action is Action.PLAYBACK_STARTED and span.touched_ns < stale_ns:
                self.end(span.key, "left")
        # Together: each answer keeps that host's lease on views from outside, and one may be slow.
        await asyncio.gather(*(self._sweep_views(link) for link in self._fleet.links))
        self.rights_changed()
        try:
            gone = await self._access.gone({span.session for span in self._spans.values()})
        except DatabaseError:
            return  # the database says it; what is known holds
        for session in gone:
            self.session_ended(session)

    async def _sweep_views(self, link: HostLink) -> None:
        host = link.client
        heard = link.up and host in self._linked
        (self._linked.add if link.up else self._linked.discard)(host)
        before = {
            span.key
            for span in self._spans.values()
            if span.action is Action.VIEW_STARTED and self._owner(span.camera) is host
        }
        try:
            viewers = await host.viewers()
        except HostError:
            return  # the link says it; whether they still watch is known when it is back
        self.watchers[host] = {viewer.session: viewer for viewer in viewers}
        for viewer in viewers:
            if (known := self._spans.get(view_key(viewer.session))) is not None:
                known.until_ns = viewer.until_ns  # what the host says counts
        there = {view_key(viewer.session) for viewer in viewers}
        for key in before - there:
            span = self._spans.get(key)
            self.end(key, (span.cut_reason if span is not None else None) or "left")
        uncut = [span for key in before & there if (span := self._spans.get(key)) and span.cut_reason is not None]
        if uncut:
            await self._cut(host, uncut)
        if not self._offers:
            for viewer in viewers:
                key = view_key(viewer.session)
                if key not in self._spans and key not in self._over:
                    self._adopt(viewer)
        if heard:
            # Linked for a while: what it kept of ends that nobody heard has been told, with their true times.
            self._over.extend(self._unfinished.settle(there, mine=lambda camera: self._owner(camera) is host))

    def _owner(self, camera: CameraId) -> HostClient | None:
        try:
            return self._fleet.host_of(self._fleet.camera(camera))
        except UnknownCameraError:
            return None

    async def close(self, *, hosts_stay: bool = False) -> None:
        """End everything: the service stops. What hosts that stay go on with does not end, and stays open."""
        for key, span in list(self._spans.items()):
            if not hosts_stay or span.action is not Action.VIEW_STARTED:
                self.end(key, "service stopped")
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self.limits.close()


@asynccontextmanager
async def open_ledger(
    trail: Trail, fleet: Fleet, *, clock: Clock, access: Access, decider: Decider, hosts_stay: bool = False
) -> AsyncIterator[Ledger]:
    """Give the ledger for the time of the block. With ``hosts_stay`` camera hosts go on without the gateway."""
    ledger = Ledger(trail, fleet, clock=clock, access=access, decider=decider)
    await ledger.load()
    async with asyncio.TaskGroup() as tasks:
        sweeper = tasks.create_task(ledger.run(), name="ledger")
        try:
            yield ledger
        finally:
            sweeper.cancel()
            await asyncio.gather(sweeper, return_exceptions=True)
            await ledger.close(hosts_stay=hosts_stay)
