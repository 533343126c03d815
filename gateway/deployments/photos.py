"""Photos of units and signs: kept as they came, by the hash of their bytes, and compared with place and clock."""

import asyncio
import hashlib
import os
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

from gateway.deployments.deployment import Deployment
from gateway.deployments.errors import UnknownDeploymentError, WishError
from gateway.deployments.exif import NoPhotoError, PhotoFacts, read
from gateway.deployments.steps import Photo, PhotoKind
from kernel.clock import utc
from kernel.geography import distance_m

ENDINGS = {"image/jpeg": "jpg", "image/png": "png"}
FRESH = timedelta(hours=24)
"""A photo that was sent later than this after it was taken is remarked on."""
ZONES = timedelta(hours=14)
"""A time without a zone is off by no more than this."""
EARLY = timedelta(minutes=10)


class Photos:
    """The files. Blocks; call it on a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.turn = asyncio.Lock()
        """Held from putting a photo until a log says so: none is dropped while another step comes to rely on it."""

    def put(self, photo: bytes) -> tuple[str, bool]:
        """Keep a photo, whole or not at all, and return its SHA-256, and whether it is new: it is kept once."""
        digest = digest_of(photo)
        path = self._path(digest)
        if path.exists():
            return digest, False
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Readable by this user alone, as temporary files are.
        with NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(photo)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
        return digest, True

    def drop(self, digest: str) -> None:
        """Let go of a photo that no deployment has."""
        self._path(digest).unlink(missing_ok=True)

    def get(self, digest: str) -> bytes:
        """Return a photo.

        Raises:
            UnknownDeploymentError: its file is gone, or is not what it was.
        """
        try:
            photo = self._path(digest).read_bytes()
        except OSError:
            photo = b""
        if digest_of(photo) != digest:
            raise UnknownDeploymentError(
                "The file of this photo is gone or damaged.", cure="Restore the data directory from a backup."
            )
        return photo

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


def digest_of(photo: bytes) -> str:
    """Return a photo's SHA-256, by which it is known."""
    return hashlib.sha256(photo).hexdigest()


def looked_at(photo: bytes) -> PhotoFacts:
    """Return what a photo says of itself.

    Raises:
        WishError: it is none.
    """
    try:
        return read(photo)
    except NoPhotoError as error:
        raise WishError(f"The photo {error}.", cure="Send a JPEG or PNG, as a phone makes it.") from None


def step_of(  # noqa: PLR0913 - what a photo is
    kind: PhotoKind, facts: PhotoFacts, *, digest: str, size_bytes: int, of: Deployment, now_ns: int, spread_m: float
) -> Photo:
    """Return the step that a photo is, with what is odd about it: nothing is refused for what a phone leaves out."""
    off_m = distance_m(of.place, facts.place) if facts.place is not None else None
    remarks = []
    if off_m is None:
        remarks.append("it says no place")
    elif off_m > spread_m:
        remarks.append(f"it was taken {off_m:.0f} m from the place")
    remarks += _of_time(facts, now_ns)
    return Photo(
        kind=kind,
        sha256=digest,
        media_type=facts.media_type,
        size_bytes=size_bytes,
        width=facts.width,
        height=facts.height,
        taken=facts.taken.isoformat() if facts.taken is not None else "",
        place=facts.place,
        off_m=round(off_m, 1) if off_m is not None else None,
        remarks=tuple(remarks),
    )


def _of_time(facts: PhotoFacts, now_ns: int) -> list[str]:
    if facts.taken is None:
        return ["it says no time"]
    sure = facts.taken.tzinfo is not None
    taken = facts.taken if sure else facts.taken.replace(tzinfo=utc(now_ns).tzinfo)
    slack = timedelta(0) if sure else ZONES
    age = utc(now_ns) - taken
    if age > FRESH + slack:
        return [f"it was taken {age.days} d {age.seconds // 3600} h before it was sent"]
    return ["it was taken in the future"] if -age > EARLY + slack else []
