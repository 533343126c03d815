"""What needs a person, and how urgently."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.health.urgency import DAY_NS, Kind, Need, Signs, UnitSigns, Urgency, needs, version_key
from gateway.health.watch import Finding
from kernel.clock import NS_PER_S
from kernel.ids import CameraId
from kernel.media import PictureFault

NOW = 1_790_000_000 * NS_PER_S
WELL = Signs(camera=CameraId("c1"), live=True, last_frame_ns=NOW)
UNIT = UnitSigns(label="D017", missed=False)


def of(signs: Signs) -> list[Need]:
    """Return what one camera needs."""
    return needs([signs], now_ns=NOW)


def of_unit(**given: object) -> list[Need]:
    """Return what a camera needs of whose unit that is known."""
    return of(replace(WELL, unit=replace(UNIT, **given)))  # type: ignore[arg-type]


def test_a_camera_that_is_well_needs_nobody() -> None:
    """Nor does its unit."""
    assert of(WELL) == []
    assert of_unit(battery_h=100.0, disk_free_share=0.5, certificate_ends_ns=NOW + 90 * DAY_NS) == []


def test_a_picture_that_is_away_for_a_minute_needs_a_person() -> None:
    """With its cause and cure as the camera host tells them, since the last picture; not before."""
    away = replace(WELL, live=False, problem="Refused.", problem_cure="Look.", last_frame_ns=NOW - 61 * NS_PER_S)
    (need,) = of(away)
    assert (need.kind, need.urgency, need.cause, need.cure, need.since_ns) == (
        Kind.NO_PICTURE,
        Urgency.NOW,
        "Refused.",
        "Look.",
        NOW - 61 * NS_PER_S,
    )
    assert of(replace(away, last_frame_ns=NOW - 59 * NS_PER_S)) == []


def test_a_camera_that_is_not_tried_again_needs_a_person_at_once() -> None:
    """It does not come back by itself."""
    assert [one.kind for one in of(replace(WELL, live=False, given_up=True))] == [Kind.NO_PICTURE]


def test_a_camera_in_store_is_not_missed() -> None:
    """It may be switched off."""
    assert of(replace(WELL, live=False, missed=False, last_frame_ns=None)) == []


def test_storage_that_refuses_is_urgent() -> None:
    """What it says is told."""
    (need,) = of(replace(WELL, unrecorded="the disk is full"))
    assert (need.kind, need.urgency) == (Kind.NOT_RECORDED, Urgency.NOW)
    assert "the disk is full" in need.cause


@pytest.mark.parametrize("fault", PictureFault)
def test_every_fault_of_a_picture_has_its_words(fault: PictureFault) -> None:
    """Cause, cure, and since when it stands."""
    (need,) = of(replace(WELL, picture=Finding(fault, 7)))
    assert (need.kind, need.since_ns) == (Kind.PICTURE, 7)
    assert need.cause
    assert need.cure


def test_a_clock_that_is_off_by_a_second_is_told() -> None:
    """In whichever direction; less is not."""
    assert [one.kind for one in of(replace(WELL, clock_off_s=-3.0))] == [Kind.CLOCK]
    assert of(replace(WELL, clock_off_s=0.9)) == []


def test_firmware_behind_that_of_its_model_is_told() -> None:
    """By number, not by letter, and only within a model."""
    new = replace(WELL, make=("Acme", "X1"), firmware="2.10")
    old = replace(new, camera=CameraId("c2"), firmware="2.9")
    other = replace(new, camera=CameraId("c3"), make=("Acme", "X2"), firmware="1.0")
    (need,) = needs([new, old, other], now_ns=NOW)
    assert (need.camera, need.kind, need.urgency) == ("c2", Kind.FIRMWARE, Urgency.SOON)


@given(st.lists(st.integers(0, 300), min_size=1, max_size=4), st.lists(st.integers(0, 300), min_size=1, max_size=4))
def test_versions_are_ordered_by_their_numbers(first: list[int], second: list[int]) -> None:
    """As lists of numbers are."""
    one, other = (".".join(map(str, numbers)) for numbers in (first, second))
    assert (version_key(one) < version_key(other)) == (first < second)


@pytest.mark.parametrize(
    ("hours", "urgency"), [(3.0, Urgency.NOW), (20.0, Urgency.TODAY), (70.0, Urgency.SOON), (73.0, None), (None, None)]
)
def test_a_battery_is_as_urgent_as_it_is_short(hours: float | None, urgency: Urgency | None) -> None:
    """Four hours, a day, three days."""
    assert [one.urgency for one in of_unit(battery_h=hours)] == ([urgency] if urgency else [])


@pytest.mark.parametrize(("days", "urgency"), [(-1, Urgency.NOW), (6, Urgency.TODAY), (29, Urgency.SOON), (31, None)])
def test_a_certificate_is_as_urgent_as_its_end(days: int, urgency: Urgency | None) -> None:
    """Over, this week, this month."""
    found = of_unit(certificate_ends_ns=NOW + days * DAY_NS)
    assert [(one.kind, one.urgency) for one in found] == ([(Kind.CERTIFICATE, urgency)] if urgency else [])


def test_a_disk_that_fails_outweighs_one_that_is_full() -> None:
    """It is told once."""
    assert [one.urgency for one in of_unit(disk_free_share=0.01)] == [Urgency.SOON]
    assert [one.urgency for one in of_unit(disk_free_share=0.01, disk_fault=True)] == [Urgency.TODAY]


def test_a_unit_that_is_missed_is_urgent_since_it_was_heard() -> None:
    """To the minute that is kept."""
    (need,) = of_unit(missed=True, heard_ns=5)
    assert (need.kind, need.urgency, need.since_ns) == (Kind.UNIT_LINK, Urgency.NOW, 5)


@given(st.permutations(range(4)))
def test_the_most_urgent_comes_first(order: Sequence[int]) -> None:
    """Whatever the order of the cameras."""
    signs = [
        replace(WELL, camera=CameraId("c0"), live=False, given_up=True),
        replace(WELL, camera=CameraId("c1"), picture=Finding(PictureFault.BLACK, 1)),
        replace(WELL, camera=CameraId("c2"), clock_off_s=9.0),
        replace(WELL, camera=CameraId("c3"), unit=replace(UNIT, battery_h=50.0)),
    ]
    assert [one.camera for one in needs([signs[place] for place in order], now_ns=NOW)] == ["c0", "c1", "c2", "c3"]


def test_a_unit_is_one_thing_to_see_to() -> None:
    """However many views it has; each need of it tells its label."""
    unit = replace(UNIT, battery_h=3.0)
    views = [replace(WELL, camera=CameraId(name), unit=unit) for name in ("c1", "c2")]
    (need,) = needs(views, now_ns=NOW)
    assert (need.camera, need.kind, need.unit) == ("c1", Kind.BATTERY, "D017")
