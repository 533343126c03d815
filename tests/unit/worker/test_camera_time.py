"""How far a camera's clock is off, and how far off that may be."""

from gateway.worker.camera_time import TOLERANCE_S, CameraTime


def test_a_clock_that_moved_is_corrected() -> None:
    """By more than what the reading leaves open: the new offset is in use, as good as the reading."""
    time = CameraTime(0.0, 0.1)
    assert time.measured(120.0, 0.2)
    assert (time.offset_s, time.read_s, time.off_s) == (120.0, 120.0, 0.2)


def test_a_small_move_is_not_worth_a_new_run_and_is_owned_up_to() -> None:
    """The offset stays in use; the times may be off by what it is off, and by what the reading leaves open."""
    time = CameraTime(0.0, 0.1)
    assert not time.measured(0.75, 0.25)
    assert (time.offset_s, time.read_s, time.off_s) == (0.0, 0.75, 1.0)


def test_a_reading_that_says_little_takes_back_nothing() -> None:
    """One that took seconds does not make worse what is known; a good one then makes a bad beginning good."""
    time = CameraTime(0.0, 0.1)
    assert not time.measured(5.0, TOLERANCE_S + 7.0)
    assert (time.read_s, time.off_s) == (0.0, 0.1)
    enrolled_on_a_busy_machine = CameraTime(4.0, 8.0)
    assert enrolled_on_a_busy_machine.measured(0.0, 0.1)
    assert enrolled_on_a_busy_machine.off_s == 0.1
