"""The pace of one viewer's line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.live.pacing import BURST_BYTES, DEBT_S, HEADROOM, LEAST_BIT_S, Pacer
from kernel.clock import NS_PER_S


def test_an_ordinary_picture_never_waits() -> None:
    """What fits a burst goes at once, also as the very first."""
    assert Pacer(80e6).room(0) == BURST_BYTES


@given(st.lists(st.tuples(st.integers(0, 50_000_000), st.integers(0, 200_000)), max_size=60))
def test_no_more_goes_than_the_pace_allows(turns: list[tuple[int, int]]) -> None:
    """Over any while, no more than the burst and the rate's share is let through, whatever is asked for."""
    pacer, now_ns, went = Pacer(8e6), 0, 0
    for wait_ns, wish in turns:
        now_ns += wait_ns
        take = min(wish, max(0, pacer.room(now_ns)))
        pacer.spend(take)
        went += take
    assert went <= BURST_BYTES + 8e6 / 8 * now_ns / NS_PER_S + 1


@given(st.integers(1, 500_000))
def test_the_wait_is_just_long_enough(size: int) -> None:
    """After the wait there is room for what is left, or for half a burst of it."""
    pacer = Pacer(8e6)
    pacer.room(0)
    pacer.spend(BURST_BYTES)
    wait_s = pacer.wait_s(size)
    assert pacer.room(round(wait_s * NS_PER_S) + 1000) >= min(size, BURST_BYTES // 2) - 1


def test_the_viewers_estimate_bounds_the_pace() -> None:
    """The pace follows the estimate with headroom, between a least one and the configured one."""
    for estimate, rate in ((2e6, HEADROOM * 2e6), (1e3, LEAST_BIT_S), (1e9, 80e6)):
        pacer = Pacer(80e6)
        pacer.room(0)
        pacer.spend(BURST_BYTES)
        pacer.estimated(estimate)
        assert pacer.room(1_000_000) == pytest.approx(rate / 8 / 1000, abs=2)


def test_without_a_reason_the_pace_is_the_configured_one() -> None:
    """An estimate that no longer counts leaves no trace."""
    pacer = Pacer(80e6)
    pacer.estimated(1e6)
    pacer.free()
    pacer.room(0)
    pacer.spend(BURST_BYTES)
    assert pacer.room(1_000_000) == pytest.approx(80e6 / 8 / 1000, abs=2)


def test_what_is_sent_again_runs_ahead_of_the_pace_by_a_bound() -> None:
    """Retransmissions are credited so much beyond the burst, less what was sent, and nothing below."""
    pacer = Pacer(8e6)
    assert pacer.credit(0) == BURST_BYTES + int(DEBT_S * 1e6)
    pacer.spend(pacer.credit(0))
    assert pacer.credit(0) == 0
    pacer.spend(50_000)
    assert pacer.credit(0) == -50_000


def test_another_stream_does_not_pay_for_the_one_before() -> None:
    """A debt is forgiven up to half a burst; what is left of a fuller one stays."""
    pacer = Pacer(8e6)
    pacer.room(0)
    pacer.spend(500_000)
    pacer.forgive()
    assert pacer.room(0) == BURST_BYTES // 2
    fresh = Pacer(8e6)
    fresh.forgive()
    assert fresh.room(0) == BURST_BYTES
