"""Until when views may go on: each host is told, so that it ends them by itself where no gateway is there to do it."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import structlog

from gateway.access.decision import Decider
from gateway.access.permissions import Permission
from gateway.api.spans import Span
from gateway.fleet.hosts import HostClient, HostError
from kernel.ids import CameraId, StreamName

log = structlog.get_logger()

ShownUntil = Callable[[str, CameraId, StreamName, StreamName], int | None]
"""User, camera, stream asked for, stream shown."""


class Limits:
    """``span.until_ns`` is what its host knows; where it is not what holds by now, the host is told."""

    def __init__(self, decider: Decider, *, owner: Callable[[CameraId], HostClient | None]) -> None:
        self.shown_until: ShownUntil = lambda *_: None
        """What limits a view beside the right to it: what a share shows, for instance. ``None`` where nothing does."""
        self._decider = decider
        self._owner = owner
        self._turns: defaultdict[HostClient, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._saying: set[asyncio.Task[None]] = set()

    def until_ns(
        self, user_id: str, session: str, camera: CameraId, *, asked: StreamName, shown: StreamName
    ) -> int | None:
        """Return when a view that is allowed now ends by the clock, as things stand; ``None``: not by itself."""
        ends = (
            self._decider.until_ns(user_id, session, Permission.VIEW_LIVE, camera),
            self.shown_until(user_id, camera, asked, shown),
        )
        return min((end for end in ends if end is not None), default=None)

    def look(self, views: Iterable[Span]) -> None:
        """Have hosts told of those views that end at another time than they know. One that fails is told later."""
        late: dict[HostClient, list[Span]] = {}
        for span in views:
            host = self._owner(span.camera) if self._is_late(span) else None
            if host is not None:
                late.setdefault(host, []).append(span)
        for host, spans in late.items():
            task = asyncio.get_running_loop().create_task(self._tell(host, spans), name="ends of views")
            self._saying.add(task)
            task.add_done_callback(self._saying.discard)

    def _is_late(self, span: Span) -> bool:
        # An outlet's views end with it, at the host; what is being cut needs no other end.
        return not span.outlet and span.cut_reason is None and self._of(span) != span.until_ns

    def _of(self, span: Span) -> int | None:
        asked, shown = span.streams
        return self.until_ns(span.actor.id, span.session, span.camera, asked=asked, shown=shown)

    async def _tell(self, host: HostClient, spans: Sequence[Span]) -> None:
        # In turn, and worked out when it leaves: a late word cannot undo a newer one.
        async with self._turns[host]:
            told = [(span, self._of(span)) for span in spans if self._is_late(span)]
            if not told:
                return
            try:
                await host.limit_viewers({span.key[1]: until_ns for span, until_ns in told})
            except HostError as error:
                log.warning("view.end_untold", views=len(told), error=error.code)
                return
            for span, until_ns in told:
                span.until_ns = until_ns

    async def close(self) -> None:
        """Let what is being said be said."""
        await asyncio.gather(*self._saying, return_exceptions=True)
