"""What needs a person, and how urgently."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.health.need import DAY_NS, Kind, Need, Urgency, Whose
from gateway.health.urgency import UNLOOKED_NS, Round, Signs, UnitSigns, needs, version_key
from gateway.health.watch import Finding
from kernel.clock import NS_PER_S
from kernel.ids import CameraId
from kernel.media import PictureFault

NOW = 1_790_000_000 * NS_PER_S
WELL = Signs(camera=CameraId("c1"), live=True, last_frame_ns=NOW)
UNIT = UnitSigns(label="D017", missed=False, cameras=(CameraId("c1"),))


def of(signs: Signs) -> list[Need]:
    """Return what one camera needs."""
    return needs(Round(cameras=[signs]), now_ns=NOW)


def of_unit(**given: object) -> list[Need]:
    """Return what a unit needs that carries a camera which is well."""
    return needs(Round(cameras=[WELL], units=[replace(UNIT, **given)]), now_ns=NOW)  # type: ignore[arg-type]


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


@pytest.mark.parametrize("fault", PictureFault)
def test_what_a_camera_in_store_shows_needs_nobody(fault: PictureFault) -> None:
    """Switched on in a bag or a dark depot it is live, and looked at; it watches nothing."""
    assert of(replace(WELL, missed=False, picture=Finding(fault, 7))) == []


UNLOOKED = replace(WELL, unlooked_since_ns=NOW - UNLOOKED_NS)


def test_a_picture_that_nobody_looks_at_needs_a_person() -> None:
    """Nothing is known of it then; since nobody has, whatever was found before."""
    (need,) = of(UNLOOKED)
    assert (need.kind, need.urgency, need.since_ns) == (Kind.UNSEEN, Urgency.TODAY, NOW - UNLOOKED_NS)
    found = of(replace(UNLOOKED, picture=Finding(PictureFault.BLACK, 7)))
    assert [one.kind for one in found] == [Kind.PICTURE, Kind.UNSEEN]


@pytest.mark.parametrize(
    "signs",
    [
        replace(UNLOOKED, unlooked_since_ns=NOW - UNLOOKED_NS + 1),
        replace(UNLOOKED, missed=False),
        replace(UNLOOKED, live=False),
        replace(UNLOOKED, unlooked_since_ns=None),
    ],
)
def test_a_picture_that_need_not_be_looked_at_needs_nobody(signs: Signs) -> None:
    """A camera that has only come, one in store, one that gives none, one of which its host says nothing."""
    assert of(signs) == []


@pytest.mark.parametrize(("offset_s", "way"), [(3600.0, "3600 s ahead"), (-200.0, "200 s behind")])
def test_a_clock_that_is_off_is_told_though_the_times_are_put_right(offset_s: float, way: str) -> None:
    """What it writes into its pictures is wrong; what we keep is right to what its reading left open."""
    (need,) = of(replace(WELL, clock_offset_s=offset_s, clock_off_s=0.05))
    assert (need.kind, need.urgency) == (Kind.CLOCK, Urgency.TODAY)
    assert way in need.cause
    assert "put right, to 0.1 s" in need.cause


def test_a_clock_that_cannot_be_read_well_is_told() -> None:
    """Nobody knows then how far the times of its pictures are off."""
    (need,) = of(replace(WELL, clock_offset_s=0.2, clock_off_s=3.0))
    assert (need.kind, need.cause) == (
        Kind.CLOCK,
        "The times of its pictures may be off by 3.0 s: its clock is not known better.",
    )


def test_a_clock_within_a_second_is_right() -> None:
    """In whichever direction, and whatever its reading left open; where nothing was read, nothing is said."""
    assert of(replace(WELL, clock_offset_s=-0.9, clock_off_s=0.9)) == []
    assert of(WELL) == []


def test_firmware_behind_that_of_its_model_is_told() -> None:
    """By number, not by letter, and only within a model."""
    new = replace(WELL, make=("Acme", "X1"), firmware="2.10")
    old = replace(new, camera=CameraId("c2"), firmware="2.9")
    other = replace(new, camera=CameraId("c3"), make=("Acme", "X2"), firmware="1.0")
    (need,) = needs(Round(cameras=[new, old, other]), now_ns=NOW)
    assert (need.whose.camera, need.kind, need.urgency) == ("c2", Kind.FIRMWARE, Urgency.SOON)


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


@pytest.mark.parametrize(
    ("given", "kind", "urgency"),
    [
        ({"battery_share": 0.14}, Kind.BATTERY, Urgency.TODAY),
        ({"clock_offset_s": -40.0}, Kind.CLOCK, Urgency.TODAY),
        ({"rsrp_dbm": -112.0}, Kind.SIGNAL, Urgency.SOON),
        ({"certified": False, "heard_ns": NOW}, Kind.CERTIFICATE, Urgency.TODAY),
        ({"certified": False}, Kind.CERTIFICATE, Urgency.SOON),
    ],
)
def test_what_a_unit_says_of_itself_is_judged(given: dict[str, object], kind: Kind, urgency: Urgency) -> None:
    """Its charge where nothing is foretold, its clock, its signal, and whether it can call in at all."""
    (need,) = of_unit(**given)
    assert (need.kind, need.urgency, need.unit) == (kind, urgency, "D017")


def test_a_unit_within_its_bounds_needs_nobody() -> None:
    """A low battery that is charged or lasts for days, five seconds, a signal that holds."""
    assert of_unit(battery_share=0.1, charging=True) == []
    assert of_unit(battery_share=0.1, battery_h=100.0) == []
    assert of_unit(clock_offset_s=5.0, rsrp_dbm=-110.0) == []


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
        replace(WELL, camera=CameraId("c2"), clock_offset_s=9.0, clock_off_s=0.1),
        replace(WELL, camera=CameraId("c3")),
    ]
    known = Round(cameras=[signs[place] for place in order], units=[replace(UNIT, battery_h=50.0)])
    found = [one.whose.camera or one.whose.unit for one in needs(known, now_ns=NOW)]
    assert found == ["c0", "c1", "c2", "D017"]


def test_a_unit_is_one_thing_to_see_to() -> None:
    """However many views it has, and at each of them."""
    carried = (CameraId("c1"), CameraId("c2"))
    (need,) = of_unit(battery_h=3.0, cameras=carried)
    assert (need.whose, need.kind, need.cameras) == (Whose(unit="D017"), Kind.BATTERY, carried)


@pytest.mark.parametrize(
    "given_",
    [
        {"missed": True},
        {"battery_h": 3.0},
        {"disk_fault": True},
        {"certificate_ends_ns": NOW + DAY_NS},
        {"budget_ends_ns": NOW + DAY_NS},
    ],
)
def test_a_unit_without_a_camera_needs_a_person_too(given_: dict[str, object]) -> None:
    """Whatever is wrong with it; it is at no camera then."""
    (need,) = of_unit(cameras=(), **given_)
    assert (need.whose, need.cameras) == (Whose(unit="D017"), ())


def test_a_silent_unit_without_a_camera_can_wait_for_the_day() -> None:
    """It watches nothing."""
    assert [one.urgency for one in of_unit(missed=True, cameras=())] == [Urgency.TODAY]


@pytest.mark.parametrize(
    ("days", "urgency"), [(-1, Urgency.TODAY), (6, Urgency.TODAY), (29, Urgency.SOON), (31, None), (None, None)]
)
def test_a_cameras_own_certificate_is_told_before_it_ends(days: int | None, urgency: Urgency | None) -> None:
    """A month before, and more urgently in the last week; it is the camera's need, whatever its unit's is."""
    ends_ns = NOW + days * DAY_NS if days is not None else None
    found = of(replace(WELL, certificate_ends_ns=ends_ns))
    told = [(one.whose, one.kind, one.urgency) for one in found]
    assert told == ([(Whose(camera=WELL.camera), Kind.CERTIFICATE, urgency)] if urgency else [])


@pytest.mark.parametrize(
    ("ends_ns", "words"),
    [
        (NOW - 1, "has ended"),
        (NOW + 3600 * NS_PER_S, "ends within a day"),
        (NOW + DAY_NS, "ends in 1 day."),
        (NOW + 20 * DAY_NS, "ends in 20 days."),
    ],
)
def test_the_end_of_a_certificate_is_told_in_days(ends_ns: int, words: str) -> None:
    """Of a camera and of a unit in the same words."""
    (mine,) = of(replace(WELL, certificate_ends_ns=ends_ns))
    (units,) = of_unit(certificate_ends_ns=ends_ns)
    assert words.rstrip(".") in units.cause
    assert words in mine.cause


@pytest.mark.parametrize(
    ("given_", "urgency"),
    [
        ({"budget_spent": True, "budget_ends_ns": NOW - DAY_NS}, Urgency.TODAY),
        ({"budget_ends_ns": NOW + 2 * DAY_NS}, Urgency.TODAY),
        ({"budget_ends_ns": NOW + 9 * DAY_NS}, Urgency.SOON),
        ({}, None),
    ],
)
def test_data_that_will_not_last_the_month_is_told_before(given_: dict[str, object], urgency: Urgency | None) -> None:
    """As soon as it can be foretold, more urgently in the last three days, and when it is used up."""
    assert [(one.kind, one.urgency) for one in of_unit(**given_)] == ([(Kind.DATA_BUDGET, urgency)] if urgency else [])


@pytest.mark.parametrize(
    ("days", "urgency"), [(31, None), (29, Urgency.SOON), (6, Urgency.TODAY), (-1, Urgency.NOW), (None, None)]
)
def test_the_certificate_that_the_broker_shows_is_told_of_before_it_locks_every_unit_out(
    days: int | None, urgency: Urgency | None
) -> None:
    """It is the installation's own need: of no camera and no unit."""
    found = needs(Round(broker_ends_ns=NOW + days * DAY_NS if days is not None else None), now_ns=NOW)
    assert [one.urgency for one in found] == ([urgency] if urgency else [])
    assert all((one.whose, one.kind, one.cameras) == (Whose(), Kind.CERTIFICATE, ()) for one in found)
