"""What ends views at a host without a word from anybody (docs/design/sharing.md, *Without a gateway*).

Hosts go on without their gateway, and with them what people watch. So each view knows the end of the right that it was
opened by, and views of people outside are on a lease: they end when no gateway has been heard that could end them.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import structlog

from gateway.live.views import View
from kernel.clock import NS_PER_S, Clock

_log = structlog.get_logger(__name__)

LOOK_S = 0.25
"""A view ends this late at most, as a share does at the gateway."""
LEASE_S = 30.0
"""Views from outside end when no gateway was heard for so long.

It asks who watches every two seconds. A restart of the service takes a few seconds, on a swamped machine ten or more,
and must not cut a partner; that a control room cannot end what it shows for longer than half a minute is too much.
"""


class Endings:
    """Of one host. ``views`` gives every view there is."""

    def __init__(self, views: Callable[[], Collection[View]], *, clock: Clock) -> None:
        self._views = views
        self._clock = clock
        self._heard_ns: int | None = None
        """When a gateway spoke last. Before the first word there is nobody from outside, nor a way in for them."""
        self._told = False

    def heard(self) -> None:
        """Note that a gateway is there: it asked who watches, or said who may."""
        self._heard_ns = self._clock.monotonic_ns()
        if self._told:
            self._told = False
            _log.info("live.lease_renewed")

    @property
    def alone(self) -> bool:
        """Return whether nobody has been there lately who could end a view: then nobody from outside is let in."""
        if self._heard_ns is None:
            return False
        return self._clock.monotonic_ns() - self._heard_ns >= LEASE_S * NS_PER_S

    def limit(self, until: Mapping[str, int | None]) -> None:
        """Have views end at another time: by session, in ns since 1970 UTC, ``None`` never by themselves.

        Those that are no more are passed over; what is over by now ends before this returns.
        """
        for view in self._views():
            if view.id in until:
                view.viewer = replace(view.viewer, until_ns=until[view.id])
        self.look()

    def look(self) -> None:
        """End what is to end by now."""
        # Compared with the wall clock at each look: one that is set ends what is over by the new time.
        wall_ns = self._clock.wall_ns()
        for view in tuple(self._views()):
            until_ns = view.viewer.until_ns
            if until_ns is not None and until_ns <= wall_ns:
                view.end("its time is over")
        if self.alone:
            outside = [view for view in self._views() if view.viewer.outside]
            for view in outside:
                view.end("no gateway was there to end it")
            if not self._told or outside:
                _log.warning("live.lease_over", ended=len(outside), lease_s=LEASE_S)
            self._told = True

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self._clock.sleep(LOOK_S)
            self.look()
