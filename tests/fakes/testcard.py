"""A scene that costs nothing to draw, where a test is about what happens to pictures and not about what they show."""

import numpy as np
import numpy.typing as npt

from drivers.simulator.device import Aim


class TestCard:
    """A grey ramp with one white bar that shifts with time and pan (satisfies ``drivers.simulator.feed.Eye``)."""

    __test__ = False

    def __init__(self) -> None:
        self.painted: list[tuple[Aim, int, int, int]] = []

    def paint(self, aim: Aim, wall_ns: int, width: int, height: int) -> npt.NDArray[np.uint8]:
        """Return the ramp and remember what was asked."""
        self.painted.append((aim, wall_ns, width, height))
        shift = wall_ns // 10_000_000 + round(aim.pan_deg * 4)
        row = (np.arange(width) * 200 // width + shift) % 200 + 20
        row[width // 3 : width // 3 + max(1, width // 40)] = 250
        return np.repeat(np.repeat(row[None, :, None], height, axis=0), 3, axis=2).astype(np.uint8)
