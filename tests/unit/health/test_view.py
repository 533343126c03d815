"""Where a reference view is found again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.health.picture import HEIGHT, WIDTH, Grey
from gateway.health.view import Shift, halved
from gateway.health.view import shift as shift_of
from tests.unit.health.drawn import night, shot, street


def shift(reference: Grey, grey: Grey) -> Shift:
    """Compare two whole pictures."""
    return shift_of(halved(reference), halved(grey))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(1, 10_000), right=st.integers(-90, 90), down=st.integers(-60, 60))
def test_a_view_is_found_where_it_has_gone(seed: int, right: int, down: int) -> None:
    """To two pixels, as far as a third of the picture away; it has moved if that is more than a fortieth."""
    scene = street(seed)
    found = shift(shot(scene), shot(scene, right=right, down=down, noise=seed))
    assert abs(found.right * WIDTH - right) <= 2
    assert abs(found.down * HEIGHT - down) <= 2
    far = max(abs(right), abs(down))
    assert found.moved or far <= 10
    assert not found.moved or far > 6


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(1, 10_000), light=st.floats(0.25, 1.0))
def test_light_moves_nothing(seed: int, light: float) -> None:
    """A street under cloud is where it was."""
    scene = street(seed)
    assert not shift(shot(scene), shot(scene, light=light, noise=seed)).moved


@pytest.mark.parametrize("seed", range(1, 9))
def test_night_moves_nothing(seed: int) -> None:
    """Nor do lamps."""
    scene = street(seed)
    assert not shift(shot(scene), night(scene)).moved


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(1, 10_000))
def test_traffic_moves_nothing(seed: int) -> None:
    """Six vehicles where there was none: the houses are where they were."""
    scene, rng = street(seed), np.random.default_rng(seed)
    picture = shot(scene, noise=seed)
    for _ in range(6):
        row, column = int(rng.integers(110, 160)), int(rng.integers(0, WIDTH - 50))
        picture[row : row + 18, column : column + 45] = rng.integers(10, 240)
    assert not shift(shot(scene), picture).moved


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(1, 10_000))
def test_another_street_is_lost(seed: int) -> None:
    """Nothing of the one is where it was in the other, and a street is never lost in its own picture."""
    reference = shot(street(seed))
    assert shift(reference, shot(street(seed + 1))).lost
    assert not shift(reference, shot(street(seed), light=0.5, noise=seed)).lost
