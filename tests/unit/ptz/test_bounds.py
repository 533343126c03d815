"""The geometry of limits and no-look zones."""

import math
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kernel.head import Axis, Position
from ptz import Priority
from ptz.aiming import look_at
from ptz.bounds import Aim, Binds, Bounds, Limits, PanLimit, Reach, Zone, ZoomLimit, aim_of, extent
from tests.fakes.head import FULL

pans = st.floats(-720, 720)
tilts = st.floats(-89, 60)
lenses = st.floats(2, 80)
shares = st.floats(0, 1)
edges = st.floats(-1, 1)
FLATS = Zone("1", "flats", 10.0, 40.0, -10.0, 30.0)


def at(pan: float, tilt: float = 0.0, hfov: float | None = None) -> Reach:
    """Return the reach of a head that stands."""
    return Reach.between(Aim(pan, tilt, hfov), Aim(pan, tilt, hfov))


def about(pan: float, tilt: float, left: float, right: float, up: float) -> Zone:
    """Return a zone in which a direction lies."""
    return Zone("1", "flats", pan - left, pan + right, tilt - 1.0, tilt + up)


margins = st.floats(0.01, 90.0)
sectors = st.builds(
    lambda start, width, low, height: Zone("1", "flats", start, start + width, low, low + height),
    st.floats(-180, 180),
    st.floats(1, 359),
    st.floats(-80, 40),
    st.floats(1, 60),
)


@given(picture=st.tuples(pans, tilts, lenses), point=st.tuples(edges, edges), about_it=st.tuples(margins, margins))
def test_what_a_picture_shows_of_a_zone_meets_it(
    picture: tuple[float, float, float], point: tuple[float, float], about_it: tuple[float, float]
) -> None:
    """A zone that any point of the picture shows is met, however steep and wide the picture is."""
    zone = about(*look_at(*picture, *point), *about_it, 1.0)
    assert zone.met_by(at(*picture), 0.0)


@given(
    one=st.tuples(pans, tilts, lenses), way=st.tuples(edges, edges, edges), share=shares, point=st.tuples(edges, edges)
)
def test_a_reach_meets_what_any_picture_of_it_shows(
    one: tuple[float, float, float],
    way: tuple[float, float, float],
    share: float,
    point: tuple[float, float],
) -> None:
    """What a picture somewhere on the way shows is met by the way."""
    pan, tilt, hfov = one
    end = (pan + 170 * way[0], max(-89.0, min(60.0, tilt + 60 * way[1])), max(2.0, min(80.0, hfov * 2.0 ** way[2])))
    here = [start + share * (stop - start) for start, stop in zip(one, end, strict=True)]
    zone = about(*look_at(here[0], here[1], here[2], *point), 0.1, 0.1, 1.0)
    assert zone.met_by(Reach.between(Aim(*one), Aim(*end)), 0.0)


@given(zone=sectors, pan=pans, tilt=tilts, hfov=lenses, turns=st.integers(-3, 3))
def test_zones_wrap(zone: Zone, pan: float, tilt: float, hfov: float, turns: int) -> None:
    """A whole turn changes nothing, to within rounding at an edge."""
    if zone.met_by(at(pan, tilt, hfov), 0.0):
        assert zone.met_by(at(pan + 360.0 * turns, tilt, hfov), 1e-6)


@given(start=st.floats(-180, 180), width=st.floats(1, 359), pan=pans, turns=st.integers(-3, 3))
def test_an_arc_wraps(start: float, width: float, pan: float, turns: int) -> None:
    """A direction on the permitted arc is permitted, however often the head went round."""
    arc = PanLimit(start % 360.0, width)
    on = (pan - start) % 360.0
    assume(1e-6 < on < width - 1e-6 or width + 1e-6 < on < 360.0 - 1e-6)
    assert arc.met_by(at(pan + 360.0 * turns), 0.0) == (on > width)


def test_the_centre_counts_where_the_lens_is_unknown() -> None:
    """Without a field of view a zone is entered by the centre of the picture."""
    assert not FLATS.met_by(at(9.0), 0.0)
    assert FLATS.met_by(at(11.0), 0.0)


def test_the_edge_of_the_picture_counts() -> None:
    """With one, it is entered when its edge shows: half the field of view earlier."""
    assert not FLATS.met_by(at(-6.0, 0.0, 30.0), 0.0)
    assert FLATS.met_by(at(-4.0, 0.0, 30.0), 0.0)


def test_a_window_may_be_passed_wide() -> None:
    """A zone for narrow pictures is met only by one, or where the lens is unknown."""
    window = replace(FLATS, narrower_than_deg=12.0)
    assert not window.met_by(at(20.0, 0.0, 30.0), 0.0)
    assert window.met_by(at(20.0, 0.0, 11.0), 0.0)
    assert window.met_by(at(20.0), 0.0)


def test_equal_pans_are_the_whole_circle() -> None:
    """A zone from a pan to the same pan is a band all round."""
    band = replace(FLATS, pan_from_deg=0.0, pan_to_deg=0.0, tilt_from_deg=5.0)
    assert band.met_by(at(200.0, 6.0), 0.0)
    assert not band.met_by(at(200.0, 4.0), 0.0)


def test_a_steep_picture_shows_all_round() -> None:
    """A picture with the foot of the mast in it shows every direction."""
    half, low, high = extent(-85.0, 60.0)
    assert (half, low) == (180.0, -90.0)
    assert -85.0 < high < -50.0
    assert extent(88.0, 60.0)[2] == 90.0


def test_a_level_picture_shows_its_field_of_view() -> None:
    """At the horizon a picture is as wide as its field of view, and 9/16 as high by its tangent."""
    half, low, high = extent(0.0, 60.0)
    assert half == pytest.approx(30.0)
    assert (low, high) == pytest.approx((-high, math.degrees(math.atan(math.tan(math.radians(30.0)) * 9 / 16))))


def test_one_limit_leaves_the_other_to_the_head() -> None:
    """A left limit alone goes on to the end of the head's own range."""
    rules = Limits(left_deg=-30.0).rules(FULL)
    assert [rule.met_by(at(pan), 0.0) for rule in rules for pan in (-31.0, -29.0, 179.0)] == [True, False, False]
    assert Limits(right_deg=-180.0).rules(FULL)[0].met_by(at(3.0), 0.0) is False


def test_tilt_limits() -> None:
    """The centre stays between the lower and the upper limit; one that is not set is none."""
    (rule,) = Limits(upper_deg=5.0).rules(FULL)
    assert [rule.met_by(at(0.0, tilt), 0.0) for tilt in (-80.0, 4.0, 6.0)] == [False, False, True]
    (rule,) = Limits(lower_deg=-40.0).rules(FULL)
    assert [rule.met_by(at(0.0, tilt), 0.0) for tilt in (-41.0, 20.0)] == [True, False]


def test_zoom_limit() -> None:
    """A picture narrower than the limit meets it, and one of an unknown lens."""
    assert ZoomLimit(10.0).met_by(at(0.0, 0.0, 9.0), 0.0)
    assert not ZoomLimit(10.0).met_by(at(0.0, 0.0, 11.0), 0.0)
    assert ZoomLimit(10.0).met_by(at(0.0), 0.0)


def test_a_head_without_zoom_has_no_zoom_limit() -> None:
    """What cannot zoom cannot zoom too far."""
    assert Limits(narrowest_deg=8.0).rules(replace(FULL, axes=frozenset({Axis.PAN}))) == ()


def test_whom_they_bind() -> None:
    """Bounds for guests do not bind the room; bounds of another place bind nobody by their angles."""
    bounds = Bounds(
        limits=(Limits(binds=Binds.GUESTS, upper_deg=0.0),), zones=(FLATS, replace(FLATS, id="2", binds=Binds.GUESTS))
    )
    assert bounds.rules(FULL, Priority.ROOM) == (FLATS,)
    assert len(bounds.rules(FULL, Priority.GUEST)) == 3
    assert replace(bounds, confirmed=False).rules(FULL, Priority.GUEST) == ()


def test_degrees_of_a_position() -> None:
    """A position is told in degrees as far as the head told its ranges."""
    assert aim_of(FULL, Position(0.5, -1.0, 0.0)) == Aim(90.0, -90.0, 60.0)
    assert aim_of(replace(FULL, hfov_deg=None), Position()) == Aim(0.0, -35.0, None)
    assert aim_of(replace(FULL, tilt_deg=None), Position()) is None


GRID = [(pan, tilt, hfov) for pan in range(-180, 180, 5) for tilt in (-60, -10, 0, 15, 30) for hfov in (None, 4, 30)]
limits = st.builds(
    Limits,
    binds=st.sampled_from(Binds),
    left_deg=st.none() | st.floats(-170, -20),
    right_deg=st.none() | st.floats(20, 170),
    lower_deg=st.none() | st.floats(-80, -10),
    upper_deg=st.none() | st.floats(0, 19),
    narrowest_deg=st.none() | st.floats(2, 40),
)
some_bounds = st.builds(
    lambda limit, zones: Bounds(limits=limit, zones=zones),
    st.lists(limits, max_size=2).map(tuple),
    st.lists(
        st.builds(
            lambda zone, binds, lens: replace(zone, binds=binds, narrower_than_deg=lens),
            sectors,
            st.sampled_from(Binds),
            st.none() | st.floats(2, 40),
        ),
        max_size=2,
    ).map(tuple),
)


@settings(max_examples=60)
@given(here=some_bounds, more=some_bounds, there=some_bounds, kept=st.booleans())
def test_what_is_not_loosened_forbids_all_that_it_forbade(
    here: Bounds, more: Bounds, there: Bounds, *, kept: bool
) -> None:
    """Whatever picture met what stood, for the room or a guest, meets what replaces it; and what is kept is kept."""
    after = Bounds(limits=here.limits + more.limits, zones=here.zones + more.zones) if kept else there
    lost = here.loosened(after, FULL)
    assert not (kept and lost)
    if lost:
        return
    for hand in Priority:
        before, now = here.rules(FULL, hand), after.rules(FULL, hand)
        for reach in (at(*aim) for aim in GRID):
            assert any(rule.met_by(reach, 0.0) for rule in now) or not any(rule.met_by(reach, 0.0) for rule in before)


WIDE = Zone("1", "flats", 350.0, 40.0, -10.0, 30.0, narrower_than_deg=20.0)


@pytest.mark.parametrize(
    ("after", "less"),
    [
        (WIDE, False),
        (replace(WIDE, pan_from_deg=-20.0, pan_to_deg=45.0), False),
        (replace(WIDE, pan_from_deg=0.0, pan_to_deg=0.0), False),
        (replace(WIDE, narrower_than_deg=None), False),
        (replace(WIDE, narrower_than_deg=25.0), False),
        (replace(WIDE, narrower_than_deg=10.0), True),
        (replace(WIDE, pan_from_deg=-5.0), True),
        (replace(WIDE, pan_to_deg=39.0), True),
        (replace(WIDE, tilt_from_deg=-9.0), True),
        (replace(WIDE, tilt_to_deg=29.0), True),
        (replace(WIDE, binds=Binds.GUESTS), True),
    ],
)
def test_a_zone_may_be_replaced_by_a_wider_one(after: Zone, *, less: bool) -> None:
    """Wider round and up, for everybody, passable with no narrower lens; also where the place is not confirmed."""
    here = Bounds(zones=(WIDE,), confirmed=False)
    assert here.loosened(Bounds(zones=(after,)), FULL) == (("flats",) if less else ())
