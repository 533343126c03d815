"""Whether a picture still shows its reference view: where the one is found again in the other. Pure arithmetic.

Both are halved pictures: ``ROWS`` by ``COLUMNS`` bytes, which is what is kept of a reference view.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.health.picture import HEIGHT, OVERLAY, WIDTH, Grey

ROWS, COLUMNS = HEIGHT // 2, WIDTH // 2
FOUND = 0.3
"""Agreement of two pictures' edges from which on the one may be the other. Twelve scenes of the simulated borough,
turned by 5 to 20 degrees, agree by 0.32 to 0.79 where they have gone; two different ones by 0.27 at most."""
GAIN = 0.2
"""By so much more than where it was: of the turned ones 0.25 and more, of different ones 0.17 at most."""
LOST = 0.3
"""A view that agrees by less where it was shows something else. The scenes keep 0.52 and more by day in rain, fog,
low sun and snow, 0.74 in infrared and 0.40 by lamplight; two different ones have 0.26 at most."""
STILL_SHARE = 0.025
"""A view that is found again within this share of the picture's width has not moved: wind, a warm pole, a lorry."""
_WRITTEN = OVERLAY // 2
_SEEN = ROWS - 2 * _WRITTEN
_REACH = 0.5
"""No further off is it looked for: less than half would be there to compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Where a reference view is found again. Shares of the picture's width and height, right and down positive."""

    right: float
    down: float
    match: float
    """How well the edges agree there, -1 to 1."""
    here: float
    """How well they agree where the view was."""

    @property
    def moved(self) -> bool:
        """Return whether it was found, and elsewhere: proof that the camera looks another way."""
        found = self.match >= FOUND and self.match - self.here >= GAIN
        return found and max(abs(self.right), abs(self.down) * ROWS / COLUMNS) > STILL_SHARE

    @property
    def lost(self) -> bool:
        """Return whether nothing of it is where it was."""
        return self.here < LOST


def halved(grey: Grey) -> Grey:
    """Return a picture as it is compared, and kept as a reference view."""
    half: Grey = np.rint(grey.reshape(ROWS, 2, COLUMNS, 2).mean(axis=(1, 3))).astype(np.uint8)
    return half


def reference_of(kept: bytes) -> Grey | None:
    """Return a reference view that was kept; ``None`` where there is none, or one of another size."""
    return np.frombuffer(kept, dtype=np.uint8).reshape(ROWS, COLUMNS) if len(kept) == ROWS * COLUMNS else None


def edges(grey: Grey) -> NDArray[np.float32]:
    """Return how strong the edges are, each as against those around it: light and shade matter little to that."""
    picture = np.log1p(grey.astype(np.float32))
    strength = np.zeros_like(picture)
    strength[1:-1, 1:-1] = np.hypot(picture[1:-1, 2:] - picture[1:-1, :-2], picture[2:, 1:-1] - picture[:-2, 1:-1])
    return np.minimum(strength, np.float32(np.quantile(strength, 0.98)))


def shift(reference: Grey, grey: Grey) -> Shift:
    """Return where in ``grey`` the reference view is, as far as half a picture away.

    Phase correlation (Kuglin, Hines, 1975) of the edges offers places; the one at which the parts that both show agree
    best is it.
    """
    # What a camera writes in stays where it is, however it is turned, and has the sharpest edges of all.
    theirs, ours = edges(reference[_WRITTEN : ROWS - _WRITTEN]), edges(grey[_WRITTEN : ROWS - _WRITTEN])
    spectrum = np.conj(np.fft.rfft2(theirs - theirs.mean(), s=(2 * _SEEN, 2 * COLUMNS)))
    spectrum *= np.fft.rfft2(ours - ours.mean(), s=(2 * _SEEN, 2 * COLUMNS))
    # Between plain correlation, which loves what is large, and pure phase, which loves noise.
    spectrum /= np.sqrt(np.abs(spectrum)) + 1e-6
    likely = np.fft.irfft2(spectrum, s=(2 * _SEEN, 2 * COLUMNS))
    down_px, right_px = _peak(likely)
    here, there = _agreement(theirs, ours, 0, 0), _agreement(theirs, ours, down_px, right_px)
    if here >= there:
        return Shift(right=0.0, down=0.0, match=here, here=here)
    return Shift(right=right_px / COLUMNS, down=down_px / ROWS, match=there, here=here)


def _peak(likely: NDArray[np.float64]) -> tuple[int, int]:
    rows = np.fft.fftfreq(2 * _SEEN, 1 / (2 * _SEEN)).astype(int)
    columns = np.fft.fftfreq(2 * COLUMNS, 1 / (2 * COLUMNS)).astype(int)
    within = (np.abs(rows) <= _REACH * _SEEN)[:, None] & (np.abs(columns) <= _REACH * COLUMNS)[None, :]
    at = int(np.argmax(np.where(within, likely, -np.inf)))
    return int(rows[at // (2 * COLUMNS)]), int(columns[at % (2 * COLUMNS)])


def _agreement(theirs: NDArray[np.float32], ours: NDArray[np.float32], down_px: int, right_px: int) -> float:
    """Return the correlation of what both pictures show, where the second is the first moved by so much."""
    first = theirs[max(0, -down_px) : _SEEN - max(0, down_px), max(0, -right_px) : COLUMNS - max(0, right_px)]
    second = ours[max(0, down_px) : _SEEN + min(0, down_px), max(0, right_px) : COLUMNS + min(0, right_px)]
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((first * first).sum() * (second * second).sum()))
    return float((first * second).sum()) / scale if scale > 0.0 else 0.0
