"""The mobile network over the town: masts, what of them reaches a street, and a modem that clings to one cell.

Path loss is that of 3GPP TR 36.942 for an urban macro cell; walls in between and a fixed pattern of shadowing take
more. RSRP and RSRQ as in 3GPP TS 36.214.
"""

import math
import random
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from drivers.simulator.town.streets import Point
from drivers.simulator.town.town import Town

Floats = npt.NDArray[np.float64]

_REFERENCE_DBM = 24.0
"""Power of one resource element with the antenna's gain."""
_NOISE_DBM = -125.0
"""Of one resource element of 15 kHz, with the modem's own noise."""
_LOAD = 0.4
"""Share of the resource elements that carry others' traffic."""
_WALL_DB, _WALLS_MAX_DB = 7.0, 21.0
_SHADOW_DB = 5.0
_SHADOW_M = 40.0
"""Shadowing is alike over so many metres."""
_HYSTERESIS_DB = 3.0
_TO_TRIGGER_S = 2.0
_STRONGEST_DBM = -44.0
"""The top of what a modem can report (3GPP TS 36.133, 9.1.4)."""
FAINTEST_DBM = -124.0
"""Below that a modem has no service."""
_REGAINED_DBM = -120.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a mast."""

    name: str
    operator: str
    technology: str
    at: Point


CELLS: tuple[Cell, ...] = (
    Cell("1A31-04", "Thameside", "LTE", (-150.0, 330.0)),
    Cell("1A31-07", "Thameside", "LTE", (310.0, 210.0)),
    Cell("1A32-01", "Thameside", "NR", (20.0, 60.0)),
    Cell("1A33-05", "Thameside", "LTE", (-330.0, -190.0)),
    Cell("1A33-09", "Thameside", "LTE", (180.0, -330.0)),
    Cell("2C07-02", "Leaside", "LTE", (-40.0, 290.0)),
    Cell("2C07-06", "Leaside", "NR", (120.0, -60.0)),
    Cell("2C08-03", "Leaside", "LTE", (-260.0, 40.0)),
    Cell("2C09-01", "Leaside", "LTE", (60.0, -390.0)),
    Cell("2C11-08", "Leaside", "LTE", (380.0, 20.0)),
)
"""Two operators; a SIM belongs to one of them."""
OPERATORS: tuple[str, ...] = ("Thameside", "Leaside")


@dataclass(frozen=True, slots=True)
class Signal:
    """What a modem says of the cell that it is on."""

    rsrp_dbm: float
    rsrq_db: float
    cell: Cell


class Air:
    """What reaches a point of the town from each cell of one operator."""

    def __init__(self, town: Town) -> None:
        outlines = np.array([building.outline() for building in town.buildings]).reshape(-1, 4, 2)
        self._from: Floats = outlines.reshape(-1, 2)
        self._to: Floats = np.roll(outlines, -1, axis=1).reshape(-1, 2)
        self._seed = town.seed

    def strengths(self, operator: str, at: Point) -> dict[Cell, float]:
        """Return RSRP in dBm by cell."""
        return {cell: self._rsrp_dbm(cell, at) for cell in CELLS if cell.operator == operator}

    def _rsrp_dbm(self, cell: Cell, at: Point) -> float:
        # Nobody is nearer to an antenna than its mast is high.
        distance_km = math.hypot(math.dist(cell.at, at), 25.0) / 1000.0
        loss_db = 128.1 + 37.6 * math.log10(distance_km)
        walls_db = min(_WALL_DB * self._walls(cell.at, at), _WALLS_MAX_DB)
        return _REFERENCE_DBM - loss_db - walls_db + _SHADOW_DB * _shadow(f"{self._seed}/{cell.name}", at)

    def _walls(self, mast: Point, at: Point) -> int:
        """Return how many houses stand in the line; the antenna looks over those near it."""
        ax, ay = mast
        # From a mast of 25 m to a box at 6 m only the last sixth of the way is lower than roofs of 9 m.
        bx, by = ax + (at[0] - ax) * 5.0 / 6.0, ay + (at[1] - ay) * 5.0 / 6.0
        dx, dy = at[0] - bx, at[1] - by
        start = (self._from[:, 0] - bx) * dy - (self._from[:, 1] - by) * dx
        end = (self._to[:, 0] - bx) * dy - (self._to[:, 1] - by) * dx
        wx, wy = (self._to - self._from).T
        near = wx * (by - self._from[:, 1]) - wy * (bx - self._from[:, 0])
        far = wx * (at[1] - self._from[:, 1]) - wy * (at[0] - self._from[:, 0])
        crossed = int(((start * end < 0.0) & (near * far < 0.0)).sum())
        return (crossed + 1) // 2


class Modem:
    """One SIM's modem: it stays with its cell until another is clearly better for a while."""

    def __init__(self, air: Air, operator: str) -> None:
        self._air = air
        self.operator = operator
        self.signal: Signal | None = None
        """None: no service."""
        self.handovers = 0
        self._at: Point | None = None
        self._strengths: dict[Cell, float] = {}
        self._better_s = 0.0

    def step(self, duration_s: float, at: Point, *, indoors_db: float = 0.0) -> None:
        """Listen at a place for ``duration_s``; ``indoors_db`` is lost on the way in."""
        if self._at is None or math.dist(at, self._at) > 1.0:
            self._at, self._strengths = at, self._air.strengths(self.operator, at)
        heard = {cell: rsrp - indoors_db for cell, rsrp in self._strengths.items()}
        best = max(heard, key=lambda cell: heard[cell])
        serving = self.signal.cell if self.signal is not None else None
        if serving is None:
            if heard[best] < _REGAINED_DBM:
                return
            serving = best
        elif heard[best] > heard[serving] + _HYSTERESIS_DB:
            self._better_s += duration_s
            if self._better_s >= _TO_TRIGGER_S:
                serving, self._better_s = best, 0.0
                self.handovers += 1
        else:
            self._better_s = 0.0
        if heard[serving] < FAINTEST_DBM:
            self.signal = None
            return
        self.signal = Signal(min(heard[serving], _STRONGEST_DBM), _rsrq_db(heard, serving), serving)

    def off(self) -> None:
        """Lose the cell; the next step looks for one anew."""
        self.signal = None
        self._better_s = 0.0


def _rsrq_db(heard: dict[Cell, float], serving: Cell) -> float:
    """Return N x RSRP / RSSI: two of a block's twelve elements are reference signals, the others are loaded."""
    own = _mw(heard[serving])
    others = sum(
        _mw(rsrp) for cell, rsrp in heard.items() if cell is not serving and cell.technology == serving.technology
    )
    rssi_per_block = (2.0 + 10.0 * _LOAD) * own + 12.0 * (_LOAD * others + _mw(_NOISE_DBM))
    return 10.0 * math.log10(own / rssi_per_block)


def _mw(dbm: float) -> float:
    return float(10.0 ** (dbm / 10.0))


def _shadow(name: str, at: Point) -> float:
    """Return a smooth field of about -1..1 over the town, the same for ever."""
    x, y = at[0] / _SHADOW_M, at[1] / _SHADOW_M
    column, row = math.floor(x), math.floor(y)
    u, v = _eased(x - column), _eased(y - row)
    low = _drawn(name, column, row) * (1 - u) + _drawn(name, column + 1, row) * u
    high = _drawn(name, column, row + 1) * (1 - u) + _drawn(name, column + 1, row + 1) * u
    return low * (1 - v) + high * v


def _eased(share: float) -> float:
    return share * share * (3.0 - 2.0 * share)


@lru_cache(maxsize=8192)
def _drawn(name: str, column: int, row: int) -> float:
    return random.Random(f"{name}/{column}/{row}").uniform(-1.0, 1.0)  # noqa: S311 - a drawing
