"""The arithmetic of a SIM's budget."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from gateway.units.budget import Reading, forecast, month_of, used
from kernel.clock import NS_PER_S, to_ns, utc

DAY_NS = 86_400 * NS_PER_S
START = to_ns(datetime(2026, 2, 1, tzinfo=UTC))


def readings(*sent: int, since: str = "s") -> list[Reading]:
    """Return a reading a day."""
    return [Reading(START + day * DAY_NS, count, since) for day, count in enumerate(sent)]


@given(st.integers(0, 4_000_000_000 * NS_PER_S))
def test_an_instant_is_in_its_month(now_ns: int) -> None:
    """From its first instant until before the next one's, which are both the first of a month."""
    first, end = month_of(now_ns)
    assert first <= now_ns < end
    assert utc(first).day == utc(end).day == 1
    assert 28 * DAY_NS <= end - first <= 31 * DAY_NS


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=50))
def test_what_was_sent_is_the_sum_of_the_steps_over_resets(steps: list[int]) -> None:
    """Wherever the counter begins anew, nothing is lost but what was sent unseen before, and nothing is negative."""
    counter, said = 0, [Reading(0, 0, "a")]
    for index, step in enumerate(steps, start=1):
        reset = index % 3 == 0
        counter = step if reset else counter + step
        said.append(Reading(index, counter, "b" * (index // 3)))
    assert used(said) == sum(steps)


def test_a_counter_that_falls_has_begun_anew() -> None:
    """Whether or not the unit says since when."""
    assert used(readings(100, 150, 30)) == 80


def test_the_month_goes_on_as_its_last_days_went() -> None:
    """Ten a day of 28: what was used and what is to come."""
    found = forecast(readings(0, 10, 20, 30), now_ns=START + 3 * DAY_NS, budget_bytes=200)
    assert (found.used_bytes, found.by_end_bytes) == (30, 280)
    assert found.exhausted_ns == START + 20 * DAY_NS
    assert found.over


def test_a_budget_that_is_used_up_says_since_when() -> None:
    """The reading at which it was."""
    found = forecast(readings(0, 10, 20, 30), now_ns=START + 3 * DAY_NS, budget_bytes=20)
    assert found.exhausted_ns == START + 2 * DAY_NS


def test_the_first_of_a_month_goes_on_as_the_last_days_of_the_one_before() -> None:
    """At five past midnight a week is known, and what was used this month is what was used since the hour before."""
    week = [Reading(START + hour * DAY_NS // 24, (hour + 168) * 1_000, "s") for hour in range(-168, 1)]
    now_ns = START + 300 * NS_PER_S
    found = forecast([*week, Reading(now_ns, 168_000 + 50_000, "s")], now_ns=now_ns, budget_bytes=None)
    assert found.used_bytes == 51_000
    assert found.by_end_bytes is not None
    assert 51_000 + 28 * 24 * 1_000 < found.by_end_bytes < 51_000 + 28 * 24 * 1_400


def test_what_was_long_before_is_no_rate() -> None:
    """Of the month before only the last seven days are asked, and of this one the rest is use alone."""
    said = [
        Reading(START - 20 * DAY_NS, 0, "s"),
        *(Reading(START + day * DAY_NS, 10**9 + day, "s") for day in range(9)),
    ]
    found = forecast(said, now_ns=START + 8 * DAY_NS, budget_bytes=None)
    assert (found.used_bytes, found.by_end_bytes) == (10**9 + 8, 10**9 + 8 + 20)


def test_nothing_is_foretold_from_less_than_a_day() -> None:
    """An hour of watching is not a month of it; but what is used up is used up."""
    said = [Reading(START + hour * DAY_NS // 24, hour * 10**9, "s") for hour in range(24)]
    found = forecast(said, now_ns=START + DAY_NS, budget_bytes=10**11)
    assert (found.used_bytes, found.by_end_bytes, found.over) == (23 * 10**9, None, False)
    assert forecast(said, now_ns=START + DAY_NS, budget_bytes=10**10).exhausted_ns == START + 10 * DAY_NS // 24
    said.append(Reading(START + DAY_NS, 24 * 10**9, "s"))
    assert forecast(said, now_ns=START + DAY_NS, budget_bytes=10**11).over


def test_nothing_is_foretold_from_nothing() -> None:
    """One reading has no rate; no reading is no use."""
    for said in ([], readings(5)):
        found = forecast(said, now_ns=START, budget_bytes=0 if not said else 100)
        assert (found.used_bytes, found.by_end_bytes, found.over) == (0, None, False)
