"""Photos: what their headers say, whatever is in them, and what of it is odd."""

import contextlib
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gateway.deployments.errors import UnknownDeploymentError, WishError
from gateway.deployments.exif import JPEG, PNG, NoPhotoError, PhotoFacts, read
from gateway.deployments.photos import Photos, looked_at, step_of
from gateway.deployments.steps import PhotoKind
from kernel.clock import to_ns
from kernel.geography import Place
from tests.fakes.photos import photo
from tests.unit.deployments.test_life import HERE, lived

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
FACTS = PhotoFacts(media_type=JPEG, width=64, height=48, taken=NOON, place=HERE)


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", JPEG), ("PNG", PNG)])
def test_a_phones_photo_says_what_where_and_when(kind: str, media_type: str) -> None:
    """Kind, size, place, and the time with its offset."""
    facts = read(photo(kind=kind, taken="2026:05:01 13:00:00", offset="+01:00", place=(51.5, -0.1)))
    assert (facts.media_type, facts.width, facts.height) == (media_type, 64, 48)
    assert facts.taken == NOON
    assert facts.taken.utcoffset() == timedelta(hours=1)
    assert facts.place is not None
    assert facts.place.latitude_deg == pytest.approx(51.5, abs=1e-6)
    assert facts.place.longitude_deg == pytest.approx(-0.1, abs=1e-6)


def test_gps_time_counts_before_the_phones() -> None:
    """It is UTC, and no clock that somebody set."""
    facts = read(photo(taken="2020:01:01 00:00:00", gps_time=("2026:05:01", (12.0, 0.0, 0.0))))
    assert facts.taken == NOON


def test_a_time_without_a_zone_has_none() -> None:
    """What is not known is not made up; nor is a time that never was."""
    facts = read(photo(taken="2026:05:01 12:00:00"))
    assert facts.taken == NOON.replace(tzinfo=None)
    assert read(photo(taken="2026:13:01 12:00:00")).taken is None
    assert read(photo(taken="    :  :     :  :  ")).taken is None


def test_a_photo_that_says_nothing_is_one_all_the_same() -> None:
    """A phone may strip it, and one without a fix writes zeros."""
    assert read(photo()) == PhotoFacts(media_type=JPEG, width=64, height=48)
    assert read(photo(place=(0.0, 0.0))).place is None


@pytest.mark.parametrize(
    "what", [b"", b"GIF89a", b"\xff\xd8\xff", b"<html>", b"\x89PNG\r\n\x1a\n", photo()[:100], photo(kind="PNG")[:40]]
)
def test_what_is_no_photo_is_refused(what: bytes) -> None:
    """Of another kind, or broken off before its picture."""
    with pytest.raises(NoPhotoError):
        read(what)
    with pytest.raises(WishError):
        looked_at(what)


def test_a_picture_that_would_fill_the_memory_is_refused() -> None:
    """A header may claim billions of pixels; nobody should be shown that."""
    file = io.BytesIO()
    Image.new("1", (1, 1)).save(file, "PNG")
    vast = bytearray(file.getvalue())
    vast[16:24] = (100_000).to_bytes(4) + (100_000).to_bytes(4)
    with pytest.raises(NoPhotoError, match="pixels"):
        read(bytes(vast))


def test_a_large_picture_of_nothing_is_refused() -> None:
    """A few hundred kilobytes that open as hundreds of megabytes; a plain photo of a phone is none of that."""
    file = io.BytesIO()
    Image.new("L", (7_000, 7_000)).save(file, "PNG")
    with pytest.raises(NoPhotoError, match="no photo"):
        read(file.getvalue())


WHOLE = [photo(kind=kind, taken="2026:05:01 12:00:00", offset="+01:00", place=(51.5, -0.1)) for kind in ("JPEG", "PNG")]


@given(whole=st.sampled_from(WHOLE), changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=12))
def test_whatever_is_in_the_headers_is_read_or_refused(whole: bytes, changes: list[tuple[int, int]]) -> None:
    """Pointers that lead anywhere meet no bug."""
    broken = bytearray(whole)
    for at, value in changes:
        broken[at % len(broken)] = value
    try:
        facts = read(bytes(broken))
    except NoPhotoError:
        return
    assert facts.width * facts.height > 0


@given(noise=st.binary(max_size=300), head=st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", WHOLE[0][:40]]))
def test_noise_is_no_photo_or_one(noise: bytes, head: bytes) -> None:
    """It is never a bug."""
    with contextlib.suppress(NoPhotoError):
        read(head + noise)


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        (FACTS, ()),
        (replace(FACTS, place=None), ("it says no place",)),
        (replace(FACTS, taken=None), ("it says no time",)),
        (replace(FACTS, place=Place(51.51, -0.1)), ("it was taken 1113 m from the place",)),
        (replace(FACTS, taken=NOON - timedelta(days=3, hours=2)), ("it was taken 3 d 2 h before it was sent",)),
        (replace(FACTS, taken=NOON + timedelta(minutes=11)), ("it was taken in the future",)),
        (replace(FACTS, taken=(NOON + timedelta(hours=13)).replace(tzinfo=None)), ()),
        (replace(FACTS, taken=(NOON - timedelta(hours=37)).replace(tzinfo=None)), ()),
        (replace(FACTS, taken=(NOON + timedelta(hours=15)).replace(tzinfo=None)), ("it was taken in the future",)),
        (replace(FACTS, taken=NOON.astimezone(timezone(timedelta(hours=9)))), ()),
    ],
)
def test_what_is_odd_is_remarked(facts: PhotoFacts, told: tuple[str, ...]) -> None:
    """Another place, another day, the future; a time without a zone may be off by any."""
    step = step_of(PhotoKind.UNIT, facts, digest="ab", size_bytes=1, of=lived(), now_ns=to_ns(NOON), spread_m=100)
    assert step.remarks == told


def test_the_bytes_are_kept_as_they_came(tmp_path: Path) -> None:
    """Once for each, readable by the service alone; what was altered on the disk is not shown."""
    photos = Photos(tmp_path / "photos")
    digest, fresh = photos.put(WHOLE[0])
    assert fresh
    assert photos.put(WHOLE[0]) == (digest, False)
    assert photos.get(digest) == WHOLE[0]
    (file,) = [path for path in (tmp_path / "photos").rglob("*") if path.is_file()]
    assert file.stat().st_mode & 0o077 == 0
    file.write_bytes(WHOLE[1])
    for missing in (digest, "ab" * 32):
        with pytest.raises(UnknownDeploymentError, match="gone or damaged"):
            photos.get(missing)
