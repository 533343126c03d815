"""A film in a file, for the processes of one benchmark, and how its pictures are told apart."""

import base64
import json
import zlib
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from cheap_cameras.film import Film, Shape

_SLICES = range(1, 6)


def save(film: Film, path: Path) -> None:
    """Write a film."""
    pictures = [[base64.b64encode(nal).decode() for nal in units] for units in film.pictures]
    path.write_text(json.dumps({"shape": asdict(film.shape), "pictures": pictures}), encoding="ascii")


def load(path: Path) -> Film:
    """Read what :func:`save` wrote."""
    stored = json.loads(path.read_text(encoding="ascii"))
    pictures = tuple(tuple(base64.b64decode(nal) for nal in units) for units in stored["pictures"])
    sets = {nal[0] & 0x1F: nal for nal in pictures[0]}
    return Film(Shape(**stored["shape"]), pictures, sets[7], sets[8])


def picture_sum(units: Iterable[bytes]) -> int:
    """Return the check sum of a picture's slices (RFC 6184 table 1); parameter sets and the like are passed over."""
    total = 0
    for nal in units:
        if nal[0] & 0x1F in _SLICES:
            total = zlib.crc32(nal, total)
    return total


def picture_sums(film: Film) -> list[int]:
    """Return the check sum of every picture.

    Raises:
        RuntimeError: two pictures are alike, so that nobody could say which of them arrived.
    """
    sums = [picture_sum(units) for units in film.pictures]
    if len(set(sums)) != len(sums):
        raise RuntimeError("Two pictures of the film are alike; a viewer could not tell which of them it got.")
    return sums
