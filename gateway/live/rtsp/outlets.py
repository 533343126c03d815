"""The outlets of one host, and who watches through each. Taking one away ends its views before the call returns."""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.fleet.outlets import Outlet, OutletCamera
from gateway.live.rtsp.view import RtspView
from kernel.clock import Clock
from kernel.ids import StreamName


class Outlets:
    """By identifier and by name. Kept in memory alone: the gateway tells them again after a restart."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._outlets: dict[str, Outlet] = {}
        self._views: dict[str, RtspView] = {}

    def all(self) -> tuple[Outlet, ...]:
        """Return every outlet that has not ended."""
        return tuple(self._outlets.values())

    def named(self, name: str) -> Outlet | None:
        """Return the outlet of that name, unless its time is over."""
        now_ns = self._clock.wall_ns()
        return next((one for one in self._outlets.values() if one.name == name and now_ns < one.until_ns), None)

    @staticmethod
    def camera(outlet: Outlet, named: str) -> OutletCamera | None:
        """Return the camera of an outlet that goes by that number or identifier."""
        return next((one for one in outlet.cameras if named in {one.id, str(one.number)}), None)

    @staticmethod
    def reachable_from(outlet: Outlet, address: str) -> bool:
        """Tell whether an outlet may be used from an address."""
        if not outlet.networks:
            return True
        here = ipaddress.ip_address(address)
        return any(here in ipaddress.ip_network(one) for one in outlet.networks)

    def put(self, outlet: Outlet) -> int:
        """Have an outlet from now on, or change one; end the views that it does not cover any more. Return how many."""
        ended = sum(
            self.remove(one.id) for one in self.all() if one.id != outlet.id and one.name == outlet.name
        )  # a name has one outlet: the later word counts
        before = self._outlets.get(outlet.id)
        self._outlets[outlet.id] = outlet
        mine = [view for view in self._views.values() if view.outlet.id == outlet.id]
        kept = 0
        for view in sorted(mine, key=lambda one: one.since_ns):
            if before is not None and self._covers(before, outlet, view) and kept < outlet.viewers_max:
                kept += 1
                view.outlet = outlet
            else:
                view.end("the share was narrowed")
                ended += 1
        return ended

    def remove(self, identity: str) -> int:
        """Have an outlet no more, and end its views; return how many. One that is not here is no error."""
        self._outlets.pop(identity, None)
        return self._end(identity, "the share was ended")

    def expire(self) -> int | None:
        """End outlets whose time is over; return when the next one's is (wall ns), ``None`` where there is none."""
        now_ns = self._clock.wall_ns()
        for outlet in self.all():
            if outlet.until_ns <= now_ns:
                del self._outlets[outlet.id]
                self._end(outlet.id, "the share's time is over")
        return min((one.until_ns for one in self._outlets.values()), default=None)

    def views(self, identity: str) -> int:
        """Return how many views there are through an outlet."""
        return sum(view.outlet.id == identity for view in self._views.values())

    @contextmanager
    def watched(self, view: RtspView) -> Iterator[None]:
        """Know of a view for the time of the block."""
        self._views[view.id] = view
        try:
            yield
        finally:
            del self._views[view.id]

    def _covers(self, before: Outlet, outlet: Outlet, view: RtspView) -> bool:
        return (
            outlet.until_ns > self._clock.wall_ns()
            and (outlet.credential, outlet.username, outlet.name) == (before.credential, before.username, before.name)
            and any(one.id == view.feed.camera for one in outlet.cameras)
            and (view.feed.stream is StreamName.SUB or outlet.best is StreamName.MAIN)
            and self.reachable_from(outlet, view.viewer.address)
        )

    def _end(self, identity: str, reason: str) -> int:
        mine = [view for view in self._views.values() if view.outlet.id == identity]
        for view in mine:
            view.end(reason)
        return len(mine)
