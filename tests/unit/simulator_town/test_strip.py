"""The strip is read back from pixels, however they were scaled and coded."""

import io

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drivers.simulator.picture import strip
from drivers.simulator.picture.encoder import Coding, Encoder, to_frame
from drivers.simulator.picture.strip import MAX_NUMBER, StripReading
from kernel.media import VideoCodec
from tests.unit.simulator_town.decoding import decoded, luma_of

WALL_MS = 1_790_000_000_123
times = st.integers(0, (1 << 44) - 1)
numbers = st.integers(0, MAX_NUMBER)


def _picture(width: int, height: int, wall_ms: int = WALL_MS, number: int = 4711) -> npt.NDArray[np.uint8]:
    rng = np.random.default_rng(width)
    small = rng.integers(0, 255, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    picture = np.kron(small, np.ones((8, 8, 1), dtype=np.uint8))[:height, :width].copy()
    strip.paint(picture, wall_ms, number)
    return picture


def _luma(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.array(Image.fromarray(picture).convert("L"))


@given(times, numbers, st.integers(108, 1920), st.integers(24, 1080))
def test_round_trip(wall_ms: int, number: int, width: int, height: int) -> None:
    """Any time and number painted in any size is read back."""
    luma = np.full((height, width), 90, dtype=np.uint8)
    strip.paint(luma, wall_ms, number)
    assert strip.read(luma) == StripReading(number, wall_ms)


@pytest.mark.parametrize(("width", "height"), [(320, 180), (426, 240), (854, 480), (1920, 1080), (1000, 700)])
def test_survives_scaling(width: int, height: int) -> None:
    """A strip painted at 1280x720 is read from the picture in any other size."""
    scaled = Image.fromarray(_picture(1280, 720)).resize((width, height), Image.Resampling.BILINEAR)
    assert strip.read(_luma(np.array(scaled))) == StripReading(4711, WALL_MS)


def test_survives_jpeg() -> None:
    """A strip is read from a JPEG of poor quality."""
    buffer = io.BytesIO()
    Image.fromarray(_picture(640, 360)).save(buffer, "JPEG", quality=30)
    assert strip.read(np.array(Image.open(buffer).convert("L"))) == StripReading(4711, WALL_MS)


@pytest.mark.parametrize("codec", list(VideoCodec))
@pytest.mark.parametrize(("width", "height"), [(640, 360), (1280, 720)])
def test_survives_coding(codec: VideoCodec, width: int, height: int) -> None:
    """Every coded picture of a starved stream carries its own time, read after decoding."""
    encoder = Encoder(Coding(codec=codec, width=width, height=height, frame_rate=12.5, bitrate_kbit=400))
    pictures = []
    for index in range(6):
        rgb = _picture(width, height, WALL_MS + 80 * index, 17)
        pictures += encoder.encode(to_frame(rgb), 7200 * index, keyframe=index == 0)
    readings = [strip.read(luma_of(frame)) for frame in decoded(encoder.parameters, pictures)]
    assert readings == [StripReading(17, WALL_MS + 80 * index) for index in range(6)]


@given(st.integers(4, 69))
def test_one_wrong_cell_is_noticed(cell: int) -> None:
    """A strip with any one bit of payload or check turned is no reading."""
    luma = np.zeros((48, 720), dtype=np.uint8)
    strip.paint(luma, WALL_MS, 99)
    luma[:8, cell * 10 : cell * 10 + 10] ^= 255
    assert strip.read(luma) is None


@pytest.mark.parametrize("shape", [(360, 640), (7, 640), (360, 71)])
def test_no_strip(shape: tuple[int, int]) -> None:
    """A picture without a strip, or too small for one, is no reading."""
    assert strip.read(np.full(shape, 128, dtype=np.uint8)) is None


def test_crc_check_value() -> None:
    """The CRC-8 is the one whose check value over "123456789" is 0xF4."""
    assert strip.crc8(b"123456789") == 0xF4


@pytest.mark.parametrize(("wall_ms", "number"), [(WALL_MS, MAX_NUMBER + 1), (WALL_MS, -1), (1 << 44, 1), (-1, 1)])
def test_what_does_not_fit(wall_ms: int, number: int) -> None:
    """A number or time beyond the strip's bits is refused."""
    with pytest.raises(ValueError, match="A strip holds"):
        strip.cells(wall_ms, number)


def test_too_narrow() -> None:
    """A picture narrower than the cells is refused."""
    with pytest.raises(ValueError, match="does not fit"):
        strip.paint(np.zeros((40, 71), dtype=np.uint8), WALL_MS, 1)
