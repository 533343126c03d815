"""What a camera writes over its picture."""

import numpy as np

from drivers.simulator.picture import strip
from drivers.simulator.picture.marks import mark, wipe

WALL_NS = 1_790_000_000_123_000_000


def _grey() -> np.ndarray:
    return np.full((360, 640, 3), 120, dtype=np.uint8)


def test_strip_and_caption() -> None:
    """The strip says time and number, and at the foot there is light writing with dark edges at both ends."""
    picture = _grey()
    mark(picture, wall_ns=WALL_NS, number=12, name="Market Square")
    assert strip.read(picture[..., 1]) == strip.StripReading(12, WALL_NS // 1_000_000)
    foot = picture[-40:]
    for part in (foot[:, :200], foot[:, -260:]):
        assert part.max() > 220
        assert part.min() < 60
    assert (picture[20:-60] == 120).all()


def test_clock_shows_seconds() -> None:
    """The clock at the foot changes from second to second, the name does not."""
    one, two = _grey(), _grey()
    mark(one, wall_ns=WALL_NS, number=12, name="Market Square")
    mark(two, wall_ns=WALL_NS + 1_000_000_000, number=12, name="Market Square")
    assert (one[-40:, :250] == two[-40:, :250]).all()
    assert (one[-40:, -260:] != two[-40:, -260:]).any()


def test_caption_fits_a_tiny_picture() -> None:
    """A long name in a small picture is cut, not an error."""
    picture = np.full((24, 80, 3), 120, dtype=np.uint8)
    mark(picture, wall_ns=WALL_NS, number=12, name="A name that is much longer than the picture is wide")
    assert strip.read(picture[..., 1]) is not None


def test_wiper_sweeps() -> None:
    """The wiper's blade is dark and in another place half a second later."""
    one, two = wipe(_grey(), 0.0), wipe(_grey(), 0.5)
    assert (one == _grey()).mean() < 1.0
    assert (one != two).any()
    assert wipe(_grey(), 0.0).min() < 30
