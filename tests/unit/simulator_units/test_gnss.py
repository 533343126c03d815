"""A receiver's position is near the truth, and says how near."""

import itertools
import math
import random

from hypothesis import given
from hypothesis import strategies as st

from drivers.simulator.units.gnss import Gnss


def _settled(sky: float = 0.8, seed: int = 1, drift_m: float = 0.0, seconds: int = 60) -> list[float]:
    gnss, errors = Gnss(random.Random(seed)), []  # noqa: S311 - a drawing
    for _ in range(seconds):
        gnss.step(1.0, (10.0, 20.0), sky=sky, drift_m=drift_m)
        if gnss.fix is not None:
            errors.append(math.dist(gnss.fix.at, (10.0, 20.0)))
    return errors


@given(st.integers(0, 10_000), st.floats(0.3, 1.0))
def test_error_is_bounded_by_the_accuracy(seed: int, sky: float) -> None:
    """The error is never more than three standard deviations of each axis."""
    bound = 3.0 * math.sqrt(2.0) * 2.0 / sky / 1.5
    assert all(error <= bound + 1e-9 for error in _settled(sky, seed))


def test_no_fix_before_it_has_searched() -> None:
    """It takes half a minute until there is a position."""
    assert len(_settled(seconds=20)) == 0
    assert len(_settled(seconds=60)) > 30


def test_no_fix_without_sky() -> None:
    """In a cellar there is none."""
    assert _settled(sky=0.1) == []


def test_drift_wanders_off_slowly() -> None:
    """A drift of 80 m is reached step by step, and the accuracy does not tell of it."""
    errors = _settled(drift_m=80.0, seconds=3600)
    assert errors[0] < 20.0
    assert errors[-1] > 60.0
    assert max(abs(now - before) for before, now in itertools.pairwise(errors)) < 3.0
