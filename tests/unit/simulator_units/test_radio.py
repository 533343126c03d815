"""The network over the town: nearer is stronger, and modems do not flutter."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.simulator.town.streets import Point, street
from drivers.simulator.town.town import Town
from drivers.simulator.units.radio import CELLS, FAINTEST_DBM, Air, Modem
from tests.fakes.clock import ManualClock

points = st.tuples(st.floats(-420.0, 420.0), st.floats(-420.0, 420.0))


@given(points)
@settings(max_examples=60)
def test_levels_are_those_of_a_network(air: Air, at: Point) -> None:
    """Everywhere in town a modem reads levels that modems read (3GPP TS 36.133), and has service."""
    modem = Modem(air, "Leaside")
    modem.step(1.0, at)
    assert modem.signal is not None
    assert -140.0 <= modem.signal.rsrp_dbm <= -44.0
    assert -19.5 <= modem.signal.rsrq_db <= -3.0


def test_a_mast_fades_with_distance(air: Air) -> None:
    """Far out of town a cell is weaker than beside its mast, and in the end there is no service."""
    cell = CELLS[0]
    levels = [air.strengths(cell.operator, (cell.at[0] - far, cell.at[1]))[cell] for far in (50.0, 1_000.0, 10_000.0)]
    assert levels == sorted(levels, reverse=True)
    modem = Modem(air, cell.operator)
    modem.step(1.0, (30_000.0, 0.0))
    assert modem.signal is None


def test_houses_shadow(air: Air) -> None:
    """Houses in the line take from a cell what they would not take in an open field, and never more than 21 dB."""
    town = Town(seed=1, clock=ManualClock())
    town.__dict__["buildings"] = ()
    field = Air(town)
    lost = [
        field.strengths("Leaside", (float(x), 200.0))[cell] - air.strengths("Leaside", (float(x), 200.0))[cell]
        for x in range(-400, 400, 40)
        for cell in CELLS
        if cell.operator == "Leaside"
    ]
    assert min(lost) == 0.0
    assert 7.0 <= max(lost) <= 21.0 + 1e-9


def test_handover_along_a_street(air: Air) -> None:
    """Driven through the town a modem changes cells a few times, and each time to a clearly stronger one."""
    modem = Modem(air, "Thameside")
    path = street("High Street").path
    cells = []
    for station in range(0, int(path.length_m), 8):
        modem.step(1.0, path.one(float(station))[0])
        assert modem.signal is not None
        cells.append(modem.signal.cell.name)
    assert 1 <= modem.handovers <= 12
    assert len(set(cells)) > 1


def test_no_flutter(air: Air) -> None:
    """A modem that stands keeps its cell."""
    modem = Modem(air, "Leaside")
    for _ in range(60):
        modem.step(1.0, (53.0, -16.0))
    assert modem.handovers == 0


@pytest.mark.parametrize("far_m", [30_000.0, 60_000.0])
def test_service_is_lost_and_found(air: Air, far_m: float) -> None:
    """Out of reach the modem has no service, and finds it again in town."""
    modem = Modem(air, "Leaside")
    modem.step(1.0, (0.0, 0.0))
    assert modem.signal is not None
    for _ in range(5):
        modem.step(1.0, (far_m, 0.0))
    lost = modem.signal
    modem.step(1.0, (0.0, 0.0))
    assert lost is None
    assert modem.signal is not None
    assert modem.signal.rsrp_dbm > FAINTEST_DBM
    assert math.isfinite(modem.signal.rsrq_db)
