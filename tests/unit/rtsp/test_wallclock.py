"""Media time tied to the wall."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.rtsp.wallclock import WallClock
from kernel.clock import NS_PER_MS, NS_PER_S
from kernel.media import GapCause, TimeSource

WALL = 1_790_000_000 * NS_PER_S
HZ = 90_000


def at(seconds: float) -> int:
    """Return nanoseconds."""
    return round(seconds * NS_PER_S)


@given(delays=st.lists(st.integers(0, 400), min_size=1, max_size=40))
def test_the_least_delayed_picture_counts(delays: list[int]) -> None:
    """Without reports the tie is the smallest arrival minus media time that was seen."""
    clock = WallClock(HZ)
    now = 0
    least = []
    for index, delay_ms in enumerate(delays):
        now = max(now, at(index * 0.04) + delay_ms * NS_PER_MS)  # the connection keeps the order
        least.append(now - at(index * 0.04))
        clock.arrived(index * 3600, now, WALL + now)
    last = (len(delays) - 1) * 3600
    wall_ns, source = clock.wall_ns(last)
    assert source is TimeSource.ARRIVAL
    assert wall_ns == WALL + at((len(delays) - 1) * 0.04) + min(least)


@given(
    delays=st.lists(st.integers(0, 400), min_size=2, max_size=60),
    errors=st.lists(st.integers(-400, 400), min_size=1, max_size=10),
)
def test_wall_times_never_go_back(delays: list[int], errors: list[int]) -> None:
    """Whatever arrivals and reports say, short of a step, wall time does not decrease within a run."""
    clock = WallClock(HZ)
    walls = []
    for index, delay_ms in enumerate(delays):
        now = at(index * 0.04) + delay_ms * NS_PER_MS
        clock.arrived(index * 3600, now, WALL + now)
        if index % 6 == 5:
            error = errors[index // 6 % len(errors)] * NS_PER_MS
            clock.report(WALL + at(index * 0.04) + error, index * 3600, now, WALL + now)
        walls.append(clock.wall_ns(index * 3600)[0])
    assert walls == sorted(walls)


def test_drift_is_followed_slowly() -> None:
    """Media time that runs 100 parts in a million too fast is followed without a step for a day."""
    clock = WallClock(HZ)
    for seconds in range(0, 86_400, 60):
        now = at(seconds)
        media_time = round(seconds * HZ * 1.0001)
        clock.report(WALL + now, media_time, now, WALL + now)
        assert clock.step is None
        clock.arrived(media_time, now, WALL + now)
        assert abs(clock.wall_ns(media_time)[0] - WALL - now) < NS_PER_MS


def test_a_wild_report_moves_the_tie_by_no_more_than_the_slew() -> None:
    """A report that is 100 ms off, a second after the last, moves the wall time by a millisecond."""
    clock = WallClock(HZ)
    clock.report(WALL, 0, 0, WALL)
    clock.report(WALL + at(1.1), HZ, at(1), WALL + at(1))
    assert clock.wall_ns(HZ)[0] == WALL + at(1.001)


def test_a_step_waits_to_be_applied() -> None:
    """A report half a minute late is a step of the camera; the old tie holds until it is applied."""
    clock = WallClock(HZ)
    clock.report(WALL, 0, 0, WALL)
    clock.report(WALL + at(1 - 20), HZ, at(1), WALL + at(1))
    assert clock.step == (GapCause.CAMERA, -20.0)
    assert clock.wall_ns(HZ)[0] == WALL + at(1)
    clock.apply()
    assert clock.step is None
    assert clock.wall_ns(HZ)[0] == WALL + at(1 - 20)


def test_a_step_that_was_a_mistake_is_forgotten() -> None:
    """One wild report between good ones changes nothing."""
    clock = WallClock(HZ)
    for seconds, error in enumerate((0, 3, 0)):
        clock.report(WALL + at(seconds + error), seconds * HZ, at(seconds), WALL + at(seconds))
    assert clock.step is None


def test_a_clock_that_becomes_nonsense_falls_back_to_arrival() -> None:
    """Reports a day off, after good ones, make arrival count, with a step where the two differ."""
    clock = WallClock(HZ)
    clock.report(WALL - at(2), 0, 0, WALL)
    clock.arrived(0, 0, WALL)
    assert not clock.report(WALL + at(86_400), HZ, at(1), WALL + at(1))
    assert clock.step == (GapCause.CAMERA, 2.0)
    clock.apply()
    assert clock.wall_ns(HZ) == (WALL + at(1), TimeSource.ARRIVAL)


def test_our_own_clock_stepping_is_our_step() -> None:
    """Where arrival counts, a step of this machine's clock ends the run with the host as its cause."""
    clock = WallClock(HZ)
    for index in range(100):
        clock.arrived(index * HZ, at(index), WALL + at(index))
    clock.arrived(100 * HZ, at(100), WALL + at(100 - 60))
    assert clock.step == (GapCause.HOST, -60.0)


def test_the_burst_at_the_start_is_no_step() -> None:
    """Pictures that a camera had stored and sends at once make later arrivals count, without a break."""
    clock = WallClock(HZ)
    for index in range(50):
        clock.arrived(index * 3600, at(0.01), WALL + at(2))
    assert clock.step is None
    assert clock.wall_ns(49 * 3600)[0] == WALL + at(2)


def test_arrival_follows_a_lasting_delay_only_after_its_windows() -> None:
    """The least delay of half a minute or more is kept, so that a slow hour of the link does not bend time."""
    clock = WallClock(HZ)
    for index in range(40):
        delay = 0.0 if index == 0 else 0.2
        clock.arrived(index * HZ, at(index + delay), WALL + at(index + delay))
    assert clock.wall_ns(39 * HZ)[0] == WALL + at(39)
    for index in range(40, 400):
        clock.arrived(index * HZ, at(index + 0.2), WALL + at(index + 0.2))
    assert clock.wall_ns(399 * HZ)[0] == WALL + at(399.2)


def test_after_a_reset_everything_is_new() -> None:
    """A new run of media time takes the next arrival as it comes."""
    clock = WallClock(HZ)
    clock.report(WALL, 0, 0, WALL)
    clock.reset()
    clock.arrived(5, at(9), WALL + at(9))
    assert clock.wall_ns(5) == (WALL + at(9), TimeSource.ARRIVAL)
