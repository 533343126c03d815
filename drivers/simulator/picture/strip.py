"""The strip: capture time and camera number, written so that a machine reads them from pixels at any scale.

Along the top edge, full width, height H/24 but at least 8 px, 72 equal cells from left to right: sync 1,0,1,0;
44 bits of Unix milliseconds, most significant first; 14 bits of camera number; 8 bits of CRC-8 (polynomial 0x07,
initial 0) over those 58 bits padded with six zero bits to 8 bytes; end mark 0,1. One is white, zero is black. To
read, take the mean of the central third of each cell at the strip's mid-height against 128.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

CELLS = 72
TIME_BITS = 44
NUMBER_BITS = 14
MAX_NUMBER = (1 << NUMBER_BITS) - 1
_SYNC = (1, 0, 1, 0)
_END = (0, 1)

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class StripReading:
    """What a strip says."""

    number: int
    wall_ms: int


def height_px(picture_height: int) -> int:
    """Return how many rows the strip takes."""
    return min(picture_height, max(8, picture_height // 24))


def crc8(data: bytes) -> int:
    """Return the CRC-8 of ``data``: polynomial 0x07, initial 0, not reflected."""
    register = 0
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = ((register << 1) ^ 0x07) & 0xFF if register & 0x80 else register << 1
    return register


def _payload_crc(payload: int) -> int:
    return crc8((payload << 6).to_bytes(8, "big"))


def cells(wall_ms: int, number: int) -> tuple[int, ...]:
    """Return the 72 bits of a strip.

    Raises:
        ValueError: the number or the time does not fit.
    """
    if not 0 <= number <= MAX_NUMBER:
        msg = f"A strip holds camera numbers 0 to {MAX_NUMBER}, not {number}."
        raise ValueError(msg)
    if not 0 <= wall_ms < 1 << TIME_BITS:
        msg = f"A strip holds times of 44 bits, not {wall_ms} ms."
        raise ValueError(msg)
    payload = wall_ms << NUMBER_BITS | number
    word = payload << 8 | _payload_crc(payload)
    return (*_SYNC, *(word >> shift & 1 for shift in range(65, -1, -1)), *_END)


@lru_cache(maxsize=64)
def _cell_of_column(width: int) -> npt.NDArray[np.intp]:
    # By its middle: a column that two cells share goes to the one with more of it.
    return (2 * np.arange(width, dtype=np.intp) + 1) * CELLS // (2 * width)


def paint(picture: Pixels, wall_ms: int, number: int) -> None:
    """Write the strip into ``picture`` in place: (H, W, 3) RGB or (H, W) luma, uint8.

    Raises:
        ValueError: the number or the time does not fit, or the picture is narrower than the 72 cells.
    """
    height, width = picture.shape[:2]
    if width < CELLS:
        msg = f"A strip of {CELLS} cells does not fit a picture {width} pixels wide."
        raise ValueError(msg)
    row = (np.array(cells(wall_ms, number), dtype=np.uint8) * 255)[_cell_of_column(width)]
    band = picture[: height_px(height)]
    band[...] = row[:, None] if picture.ndim == 3 else row


def read(luma: npt.NDArray[np.uint8]) -> StripReading | None:
    """Return what the strip of ``luma``, a 2-D array of any size, says, or None where there is no whole one."""
    height, width = luma.shape
    if width < CELLS or height < 8:
        return None
    middle = height_px(height) // 2
    # The row above and below steady the reading where blocks of the coder meet.
    row = luma[max(0, middle - 1) : middle + 2].astype(np.float64).mean(axis=0)
    total = np.concatenate(([0.0], np.cumsum(row)))
    cell = width / CELLS
    edges = np.arange(CELLS) * cell
    columns = np.arange(width + 1)
    first, last = (np.interp(edges + cell * part, columns, total) for part in (1 / 3, 2 / 3))
    means = (last - first) / (cell / 3)
    bits = [int(mean > 128) for mean in means]
    if tuple(bits[:4]) != _SYNC or tuple(bits[-2:]) != _END:
        return None
    word = int("".join(map(str, bits[4:-2])), 2)
    payload, crc = word >> 8, word & 0xFF
    if _payload_crc(payload) != crc:
        return None
    return StripReading(number=payload & MAX_NUMBER, wall_ms=payload >> NUMBER_BITS)
