"""An allowance is never exceeded, comes back with time, and says when."""

from hypothesis import given
from hypothesis import strategies as st

from kernel.allowance import Allowance
from kernel.clock import NS_PER_S


@given(
    steps=st.lists(st.tuples(st.integers(0, 3 * NS_PER_S), st.integers(1, 30)), max_size=80),
    per_s=st.integers(1, 500),
    burst=st.integers(1, 1000),
)
def test_an_allowance_is_never_exceeded(steps: list[tuple[int, int]], per_s: int, burst: int) -> None:
    """In any time no more is taken than the burst and what has come in since."""
    allowance, now_ns, taken = Allowance(per_s, burst), 0, 0
    for pause_ns, units in steps:
        now_ns += pause_ns
        taken += units if allowance.take(now_ns, units) else 0
        assert taken <= burst + per_s * now_ns / NS_PER_S + 1e-6


def test_an_allowance_comes_back_with_time() -> None:
    """Who has used up everything may go on at the rate, and has the whole burst after a long pause."""
    allowance = Allowance(10, 20)
    assert [allowance.take(0) for _ in range(21)] == [True] * 20 + [False]
    assert allowance.take(NS_PER_S // 10)
    assert not allowance.take(NS_PER_S // 10)
    assert [allowance.take(3600 * NS_PER_S) for _ in range(21)] == [True] * 20 + [False]


@given(per_s=st.integers(1, 500), burst=st.integers(1, 1000), units=st.integers(1, 50))
def test_who_waits_as_long_as_is_said_may_go_on(per_s: int, burst: int, units: int) -> None:
    """After the time that is told there is enough, however much was used up, if it is ever enough."""
    allowance, now_ns = Allowance(per_s, burst), 0
    while allowance.take(now_ns):
        pass
    wait_s = allowance.wait_s(units)
    assert wait_s >= 1
    assert allowance.take(now_ns + wait_s * NS_PER_S, units) is (units <= burst)


def test_a_full_allowance_is_as_good_as_a_new_one() -> None:
    """It is full at first, not while something of it is used up, and again after a pause."""
    allowance = Allowance(10, 20)
    assert allowance.full(0)
    allowance.take(0)
    assert not allowance.full(NS_PER_S // 20)
    assert allowance.full(NS_PER_S // 10)
