"""What is known of units where they were put up, for the time that the gateway runs; also of those just taken down.

A unit whose link was away tells later what happened to it, maybe after somebody said that it is down. It happened
where it stood then: so its place is remembered until nothing is believed any more that it may tell of that.
"""

from collections.abc import Collection

from gateway.deployments.deployment import DAY_NS, Deployment, Stage
from gateway.deployments.geofence import Alarm, Fence, Report, Watch, judge

TOLD_NS = DAY_NS
"""What happened longer ago than this when it is told is not believed to be of then (``gateway.units.clocks``)."""


class Watches:
    """Of all units, by the deployment of each."""

    def __init__(self, fence: Fence) -> None:
        self._fence = fence
        self._of: dict[str, Watch] = {}
        self._down_ns: dict[str, int] = {}
        """When each device was taken down last."""

    def judged(self, known: Deployment, report: Report, at_ns: int) -> tuple[Watch, Alarm | None]:
        """Return what is known after a report, and what is to be raised; after a restart it begins with the log's."""
        return judge(self._of.get(known.id) or known.watch(), report, at_ns, self._fence)

    def keep(self, known: Deployment, watch: Watch) -> None:
        """Take in what is known of a deployment's unit by now."""
        self._of[known.id] = watch

    def follow(self, then: Deployment, *, stood: bool) -> None:
        """Take in a step. ``stood``: its unit stood there before it."""
        if (then.stage is Stage.DEPLOYED and not stood) or then.stage is Stage.EVALUATED:
            self._of.pop(then.id, None)  # put up again, it hangs otherwise
        if then.removed_ns is not None:
            self._down_ns[then.urn] = max(then.removed_ns, self._down_ns.get(then.urn, 0))

    def wavering(self, standing: Collection[Deployment]) -> list[Deployment]:
        """Return those whose lid is the other way by now than was told."""
        return [one for one in standing if one.id in self._of and self._of[one.id].lid_waits]

    def down_lately(self, urn: str, now_ns: int) -> bool:
        """Return whether a device was taken down so lately that it may yet tell what happened before."""
        down_ns = self._down_ns.get(urn)
        return down_ns is not None and now_ns - down_ns <= TOLD_NS

    def before_down(self, urn: str, at_ns: int) -> bool:
        """Return whether a device was taken down after an instant, as far as is remembered."""
        return at_ns < self._down_ns.get(urn, at_ns)
