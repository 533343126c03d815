"""Weather is a function of time."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.simulator.units.sky import celsius, sun
from kernel.clock import NS_PER_S

_DAY_NS = 86_400 * NS_PER_S
_JUNE = 20_624 * _DAY_NS
_JANUARY = 20_465 * _DAY_NS
_HOUR_NS = 3600 * NS_PER_S


@given(st.integers(1_700_000_000, 1_900_000_000), st.integers(0, 9))
def test_within_what_london_sees(wall_s: int, seed: int) -> None:
    """It is never outside -10 to 35 degrees, and the sun is between none and full."""
    assert -10.0 < celsius(wall_s * NS_PER_S, seed) < 35.0
    assert 0.0 <= sun(wall_s * NS_PER_S, seed) <= 1.0


@given(st.integers(1_700_000_000, 1_900_000_000), st.integers(1, 60))
def test_nothing_jumps(wall_s: int, later_s: int) -> None:
    """Within a minute the temperature hardly changes."""
    assert abs(celsius((wall_s + later_s) * NS_PER_S, 1) - celsius(wall_s * NS_PER_S, 1)) < 0.2


def test_day_and_season() -> None:
    """Afternoons are warmer than nights, June than January; at night there is no sun, and most of it in June."""
    assert celsius(_JUNE + 15 * _HOUR_NS, 1) > celsius(_JUNE + 3 * _HOUR_NS, 1)
    assert celsius(_JUNE + 15 * _HOUR_NS, 1) > celsius(_JANUARY + 15 * _HOUR_NS, 1)
    assert sun(_JUNE, 1) == 0.0
    assert sum(sun(_JUNE + hour * _HOUR_NS, 1) for hour in range(24)) > 2 * sum(
        sun(_JANUARY + hour * _HOUR_NS, 1) for hour in range(24)
    )
