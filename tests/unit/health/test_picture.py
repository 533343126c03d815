"""One picture by itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.health.picture import HEIGHT, WIDTH, Grey, fault_of, measure
from kernel.media import PictureFault
from tests.unit.health.drawn import night, shot, softened, street


def flat(level: int, spread: float = 0.0) -> Grey:
    """Return a picture of one grey, with noise."""
    noise = np.random.default_rng(level).normal(0.0, spread, (HEIGHT, WIDTH)) if spread else 0.0
    return np.clip(np.full((HEIGHT, WIDTH), float(level)) + noise, 0, 255).astype(np.uint8)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(1, 10_000), light=st.floats(0.3, 1.0), noise=st.integers(0, 100))
def test_a_street_has_no_fault(seed: int, light: float, noise: int) -> None:
    """In any light of a day, with and without noise."""
    assert fault_of(measure(shot(street(seed), light=light, noise=noise))) is None


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(1, 10_000))
def test_a_street_at_night_is_not_black(seed: int) -> None:
    """It has lamps."""
    assert fault_of(measure(night(street(seed)))) is None


@pytest.mark.parametrize("picture", [flat(0), flat(16), flat(12, 4.0), shot(street(), light=0.1)])
def test_a_picture_without_light_is_black(picture: Grey) -> None:
    """Pure black, that of television, a sensor's noise in the dark, and a street without lamps."""
    assert fault_of(measure(picture)) is PictureFault.BLACK


@settings(deadline=None, max_examples=20)
@given(level=st.integers(60, 250), spread=st.floats(0.0, 2.0))
def test_a_picture_of_nothing_is_covered(level: int, spread: float) -> None:
    """A bag, paint, a hand: one grey and a little noise."""
    assert fault_of(measure(flat(level, spread))) is PictureFault.COVERED


def test_a_bag_that_lets_a_corner_be_seen_is_a_cover() -> None:
    """A twentieth of the street is left to be seen."""
    picture = flat(120, 1.0)
    picture[:40, :72] = shot(street())[:40, :72]
    assert fault_of(measure(picture)) is PictureFault.COVERED


def test_a_lorry_before_half_the_lens_is_none() -> None:
    """The other half is a street."""
    picture = shot(street())
    picture[:, : WIDTH // 2] = 120
    assert fault_of(measure(picture)) is None


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(1, 10_000), radius=st.integers(4, 7))
def test_a_street_out_of_focus_is_blurred(seed: int, radius: int) -> None:
    """Softened by 4 of 320 pixels and more."""
    assert fault_of(measure(softened(shot(street(seed)), radius))) is PictureFault.BLURRED


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(1, 10_000), radius=st.integers(1, 3))
def test_the_softer_the_less_sharp(seed: int, radius: int) -> None:
    """The measure falls with each pixel of softness."""
    picture = shot(street(seed))
    assert measure(softened(picture, radius)).sharpness > measure(softened(picture, radius + 1)).sharpness


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(1, 10_000))
def test_noise_is_no_sharpness(seed: int) -> None:
    """A sensor adds it behind a lens that is out of focus."""
    noise = np.random.default_rng(seed).normal(0.0, 2.0, (HEIGHT, WIDTH))
    soft = np.clip(softened(shot(street(seed)), 5) + noise, 0, 255).astype(np.uint8)
    assert fault_of(measure(soft)) is PictureFault.BLURRED


def test_by_night_no_picture_is_blurred() -> None:
    """What is soft then is not always out of focus; that shows by day."""
    assert fault_of(measure(softened(night(street()), 5))) is None


@pytest.mark.parametrize("fault", [PictureFault.BLACK, PictureFault.COVERED, PictureFault.BLURRED])
def test_what_a_camera_writes_into_its_picture_hides_no_fault(fault: PictureFault) -> None:
    """Its name and the time stand there sharp and bright, whatever its lens sees."""
    pictures = {
        PictureFault.BLACK: flat(8, 2.0),
        PictureFault.COVERED: flat(120, 1.0),
        PictureFault.BLURRED: softened(shot(street()), 5),
    }
    picture = pictures[fault]
    for rows in (slice(4, 16), slice(164, 176)):
        picture[rows, 10:200:6] = 255
    assert fault_of(measure(picture)) is fault
