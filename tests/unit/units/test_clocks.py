"""How far a unit's clock is off, and what it tells of late."""

import pytest

from gateway.units.clocks import MOMENT_NS, MOMENTS, PLAUSIBLE_NS, UnitClock, late
from kernel.clock import NS_PER_S

NOW_NS = 1_790_000_000 * NS_PER_S


class Unit:
    """Says things after each other. Its clock is ``off_s`` before ours."""

    def __init__(self, off_s: float = 0.0) -> None:
        self.clock = UnitClock()
        self.off_s = off_s
        self.passed_s = 0.0

    def says(self, *, after_s: float = 0.0, late_s: float = 0.0, boot: str = "one") -> None:
        """Say something so long after the last; it was so much earlier that it happened."""
        self.passed_s += after_s
        wall_ns = NOW_NS + round(self.passed_s * NS_PER_S)
        unit_ns = wall_ns + round((self.off_s - late_s) * NS_PER_S)
        self.clock.heard(boot, unit_ns, wall_ns=wall_ns, monotonic_ns=round(self.passed_s * NS_PER_S))


@pytest.mark.parametrize("off_s", [0, -3600, 600])
def test_what_a_unit_kept_does_not_pass_for_a_slow_clock(off_s: float) -> None:
    """Its link was away for forty minutes; then sixty messages come at once, the oldest first."""
    unit = Unit(off_s)
    unit.says()
    unit.says(after_s=2400, late_s=2400)
    for kept in range(60):
        unit.says(after_s=0.01, late_s=2400 - 40 * kept)
    assert unit.clock.offset_ns == off_s * NS_PER_S


def test_a_clock_that_was_set_back_is_known_at_once() -> None:
    """A later number with an earlier time says so."""
    unit = Unit(600)
    unit.says()
    unit.off_s = 0
    unit.says(after_s=10)
    assert unit.clock.offset_ns == 0


def test_a_boot_has_a_clock_of_its_own() -> None:
    """What was known before it tells nothing of now."""
    unit = Unit(600)
    unit.says()
    unit.off_s = -86_400
    unit.says(after_s=1, boot="two")
    assert unit.clock.offset_ns == -86_400 * NS_PER_S


def test_a_clock_that_drifts_is_followed() -> None:
    """What is long ago counts no more."""
    unit = Unit(5)
    for _ in range(MOMENTS + 1):
        unit.says(after_s=MOMENT_NS / NS_PER_S)
        unit.off_s = 0
    assert unit.clock.offset_ns == 0


def test_nothing_is_known_of_a_clock_that_said_nothing() -> None:
    """It is not taken to be right."""
    assert UnitClock().offset_ns is None


@pytest.mark.parametrize(
    ("ago_s", "believed"),
    [(-3600, False), (0, False), (4, False), (6, True), (2400, True), (PLAUSIBLE_NS / NS_PER_S + 1, False)],
)
def test_only_what_may_be_is_believed(ago_s: float, believed: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """Neither the future nor last year; and what comes within some seconds is of now."""
    happened_ns = NOW_NS - round(ago_s * NS_PER_S)
    assert late(happened_ns, NOW_NS) == (happened_ns if believed else None)
