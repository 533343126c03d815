"""Main or sub: what feedback moves a viewer down, and when the main stream is tried again."""

import pytest

from gateway.live.ladder import FIRST_TRIAL_NS, LAST_TRIAL_NS, LOSS, SETTLE_NS, TRIAL_NS, Ladder
from kernel.clock import NS_PER_S

MAIN = 4_000_000.0


class Line:
    """Reports once a second to a ladder."""

    def __init__(self) -> None:
        self.now_ns = 1000 * NS_PER_S
        self.ladder = Ladder(self.now_ns)

    def report(self, seconds: int, *, lost: float = 0.0, behind_s: float = 0.1, estimate: float | None = None) -> bool:
        """Report for so many seconds; return whether the sub stream is wanted then."""
        for _ in range(seconds):
            self.now_ns += NS_PER_S
            if estimate is not None:
                self.ladder.estimated(estimate)
            self.ladder.reported(lost, behind_s, MAIN, self.now_ns)
        return self.ladder.lower


def test_a_good_line_keeps_the_main_stream() -> None:
    """A little loss and no lateness change nothing, however long."""
    assert not Line().report(600, lost=0.02, behind_s=0.4, estimate=8_000_000)


def test_lasting_loss_moves_down() -> None:
    """Two reports in a row of much loss are enough, one is not."""
    line = Line()
    line.report(5)
    assert not line.report(1, lost=0.12)
    line.report(1)
    assert not line.report(1, lost=0.12)
    assert line.report(1, lost=0.12)


def test_what_lies_on_the_way_for_long_moves_down() -> None:
    """A queue of seconds somewhere on the way is a line that is too thin, though nothing is lost yet."""
    line = Line()
    line.report(5)
    assert line.report(2, behind_s=2.0)


def test_a_low_estimate_alone_does_not_move() -> None:
    """An estimate lags behind a scene that has just come to life; that is no reason to take the picture away."""
    assert not Line().report(60, estimate=900_000)


def test_a_low_estimate_makes_lateness_count_sooner() -> None:
    """Together with half a second on the way it tells of a thin line."""
    line, sure = Line(), Line()
    for one in (line, sure):
        one.report(5)
    assert line.report(2, behind_s=0.8, estimate=900_000)
    assert not sure.report(2, behind_s=0.8, estimate=6_000_000)


def test_the_first_seconds_do_not_count() -> None:
    """The first group of pictures is a burst: what reports say of it is no measure."""
    line = Line()
    assert not line.report(SETTLE_NS // NS_PER_S - 1, lost=0.5, behind_s=3.0)


def test_pictures_left_out_move_down_at_once() -> None:
    """A line that could not take pictures needs no second report."""
    line = Line()
    line.report(5)
    line.ladder.overrun(line.now_ns)
    assert line.ladder.lower


def test_the_main_stream_is_tried_again() -> None:
    """After a quiet while on the sub stream the main one is tried; loss meanwhile delays that."""
    line = Line()
    line.report(5)
    line.report(2, lost=0.2)
    assert line.report(FIRST_TRIAL_NS // NS_PER_S + 5, lost=0.05)
    assert not line.report(1)


def test_a_failed_trial_doubles_the_while() -> None:
    """Trials that fail grow rare, up to a bound; a good minute forgets them."""
    line = Line()
    line.report(5)
    waits = []
    for _ in range(8):
        line.report(SETTLE_NS // NS_PER_S + 2, lost=0.3)
        assert line.ladder.lower
        seconds = 0
        while line.report(1):
            seconds += 1
        waits.append(seconds + 1)
    first = FIRST_TRIAL_NS // NS_PER_S
    assert waits[:4] == pytest.approx([first, 2 * first, 4 * first, 8 * first], abs=4)
    assert waits[-1] == pytest.approx(LAST_TRIAL_NS // NS_PER_S, abs=4)
    line.report(TRIAL_NS // NS_PER_S + 5)
    line.report(2, lost=0.3)
    seconds = 0
    while line.report(1):
        seconds += 1
    assert seconds + 1 == pytest.approx(first, abs=4)


def test_the_bound_of_loss_is_not_crossed_by_what_equals_it() -> None:
    """Loss of just the bound is borne."""
    assert not Line().report(60, lost=LOSS)


def test_a_line_shows_that_it_is_strained() -> None:
    """Loss, lateness or the sub stream make an estimate count; a quiet line's does not."""
    line = Line()
    line.report(5, estimate=500_000)
    assert not line.ladder.strained
    line.report(1, lost=0.05)
    assert line.ladder.strained
    line.report(1)
    assert not line.ladder.strained
    line.report(1, behind_s=0.8)
    assert line.ladder.strained
