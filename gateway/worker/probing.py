"""Looking at devices before they are enrolled.

Trying a head turns it for some seconds. So what was found is kept for the enrolment that follows the look, and the head
of a camera that this host already owns, which an operator may be steering, is never tried.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable

from drivers.addresses import AddressPolicy
from drivers.model import CameraTarget, CameraView
from drivers.onvif import EnrolLimits, enrol
from gateway.fleet import rpc
from kernel.clock import NS_PER_S, Clock

KEPT_S = 120
KEPT_MAX = 16


class Prober:
    """Looks at devices for one host."""

    def __init__(self, *, clock: Clock, policy: AddressPolicy, max_clock_offset_s: float) -> None:
        self._clock = clock
        self._policy = policy
        self._max_clock_offset_s = max_clock_offset_s
        self._kept: OrderedDict[bytes, tuple[int, rpc.Probed]] = OrderedDict()

    async def probe(self, target: CameraTarget, *, owned: Iterable[rpc.CameraAssignment]) -> rpc.Probed:
        """Return what ``drivers.onvif.enrol`` finds, and raise what it raises.

        The same look a second time within two minutes is answered from the first, once.
        """
        key = hashlib.sha256(rpc.wire(target)).digest()
        kept = self._kept.pop(key, None)
        if kept is not None and self._clock.monotonic_ns() < kept[0]:
            return kept[1]
        known = {
            assignment.view.video_source_token: assignment.view
            for assignment in owned
            if assignment.target.address == target.address
        }
        limits = EnrolLimits(max_clock_offset_s=self._max_clock_offset_s, try_head=not known)
        result = await enrol(target, clock=self._clock, policy=self._policy, limits=limits)
        description = result.description
        if known:
            views = tuple(_with_head(view, known.get(view.video_source_token)) for view in description.views)
            description = description.model_copy(update={"views": views})
        found = rpc.Probed(description=description, snapshot=result.snapshot)
        self._kept[key] = (self._clock.monotonic_ns() + KEPT_S * NS_PER_S, found)
        while len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return found


def _with_head(view: CameraView, known: CameraView | None) -> CameraView:
    return view if known is None else view.model_copy(update={"head": known.head})
