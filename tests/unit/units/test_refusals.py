"""Refusals are counted in bounded room, and seen."""

from gateway.units import Cause, Refusal, Refusals
from gateway.units.refusals import STRANGERS_MAX
from tests.fakes.clock import ManualClock


def test_counts_are_by_cause_and_unit(clock: ManualClock) -> None:
    """With the last of each, the newest first."""
    refusals = Refusals(clock=clock, known={"D017"}.__contains__)
    refusals.count(Cause.REPLAYED, "D017", said="one")
    refusals.count(Cause.REPLAYED, "D017", said="two")
    clock.jump_wall(1)
    refusals.count(Cause.MALFORMED, "D017")
    assert [(one.cause, one.count, one.said) for one in refusals.of("D017")] == [
        (Cause.REPLAYED, 2, "two"),
        (Cause.MALFORMED, 1, ""),
    ]
    assert refusals.all()[0].cause is Cause.MALFORMED


def test_strangers_do_not_fill_memory(clock: ManualClock) -> None:
    """Ever new labels are forgotten but for the last; no count is lost, and no unit's."""
    refusals = Refusals(clock=clock, known={"D017"}.__contains__)
    refusals.count(Cause.UNKNOWN_UNIT, "D017")
    for number in range(3 * STRANGERS_MAX):
        refusals.count(Cause.UNKNOWN_UNIT, f"X{number}")
    assert refusals.total(Cause.UNKNOWN_UNIT) == 3 * STRANGERS_MAX + 1
    assert len(refusals.all()) == STRANGERS_MAX + 2
    assert refusals.of("D017")[0].count == 1
    assert refusals.of("")[0].count == 2 * STRANGERS_MAX


def test_each_is_told(clock: ManualClock) -> None:
    """Until the listener leaves."""
    refusals, told = Refusals(clock=clock, known=lambda _: True), list[Refusal]()
    leave = refusals.listen(told.append)
    refusals.count(Cause.OVERSIZED, "D017")
    leave()
    refusals.count(Cause.OVERSIZED, "D017")
    assert [one.count for one in told] == [1]
