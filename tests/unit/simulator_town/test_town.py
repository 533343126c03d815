"""What stands in the town and who moves through it."""

import itertools
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.simulator.town.buildings import separate
from drivers.simulator.town.streets import AREAS, CYCLE_S, GREEN_S, JUNCTIONS, STREETS, Junction
from drivers.simulator.town.town import ORIGIN, PLANE, Town, ground_geojson
from drivers.simulator.town.traffic import Near, green, strollers, vehicles, walkers
from kernel.clock import NS_PER_S
from kernel.geography import distance_m
from tests.fakes.clock import ManualClock

NOW_NS = 1_790_000_000 * NS_PER_S
moments = st.floats(1_700_000_000.0, 1_900_000_000.0)


def test_two_towns_are_one(clock: ManualClock) -> None:
    """Towns of the same seed are the same at every instant; of another seed they are not."""
    one, same, other = (Town(seed=seed, clock=clock) for seed in (5, 5, 6))
    for seconds in (0, 1, 3600, 86_400 * 30):
        at = NOW_NS + seconds * NS_PER_S
        assert one.actors(at) == same.actors(at)
        assert one.actors(at) != other.actors(at)
    assert one.buildings == same.buildings
    assert one.props == same.props
    assert one.buildings != other.buildings
    assert one.sites(60) == same.sites(60)


def test_no_two_buildings_overlap(clock: ManualClock) -> None:
    """Every two buildings have a line between them, and none stands on a street's carriageway."""
    buildings = Town(seed=1, clock=clock).buildings
    for one, two in itertools.combinations(buildings, 2):
        if math.dist(one.centre, two.centre) < 80.0:
            assert separate(one.outline(), two.outline()), (one, two)
    for street in STREETS:
        for station in range(0, int(street.path.length_m), 10):
            (x, y), _ = street.path.one(float(station))
            spot = ((x - 1, y - 1), (x + 1, y - 1), (x + 1, y + 1), (x - 1, y + 1))
            assert all(separate(spot, building.outline()) for building in buildings)


@given(moments)
@settings(max_examples=12, deadline=None)
def test_vehicles_keep_apart(time_s: float) -> None:
    """No two vehicles are ever in one another's place, not at crossings and not in queues."""
    for one, two in itertools.combinations(vehicles(1, time_s), 2):
        assert math.hypot(one.x - two.x, one.y - two.y) > 3.0


@given(moments)
@settings(max_examples=12, deadline=None)
def test_everybody_moves_smoothly(time_s: float) -> None:
    """Within a tenth of a second nobody is anywhere else than his speed allows."""
    before = {actor.identity: actor for actor in vehicles(1, time_s) + walkers(1, time_s) + strollers(1, time_s)}
    after = vehicles(1, time_s + 0.1) + walkers(1, time_s + 0.1) + strollers(1, time_s + 0.1)
    common = [(before[actor.identity], actor) for actor in after if actor.identity in before]
    assert len(common) > 400
    for was, now in common:
        # On the outer side of a bend the way is longer than along the middle of the street.
        assert math.hypot(now.x - was.x, now.y - was.y) < 0.1 * 1.5 * max(was.speed_m_s, now.speed_m_s) + 0.05


def test_a_pavement_bends_without_a_jump() -> None:
    """Along the outer pavement of every street each step of 10 cm is one of 5 to 20 cm, at the corners too."""
    for street in STREETS:
        stations = np.arange(0.0, street.path.length_m, 0.1)
        for left_m in (street.half_m, -street.half_m):
            points, headings = street.path.turning(stations, left_m)
            steps = np.hypot(*np.diff(points, axis=0).T)
            assert 0.05 < steps.min() <= steps.max() < 0.2
            assert np.allclose(np.hypot(*headings.T), 1.0)


def test_some_wait_at_red(clock: ManualClock) -> None:
    """At any moment somebody stands at a red light, with his brake lights on."""
    for seconds in range(0, 40, 5):
        waiting = [actor for actor in vehicles(1, 1_790_000_000.0 + seconds) if actor.speed_m_s < 0.1]
        assert waiting
        assert all(actor.braking for actor in waiting)


@given(moments, st.sampled_from(JUNCTIONS))
def test_never_green_for_both(time_s: float, junction: Junction) -> None:
    """The streets of a junction are never green together, and each is for its share of the cycle."""
    assert not (green(junction.green_s, first=True, at_s=time_s) and green(junction.green_s, first=False, at_s=time_s))
    greens = sum(green(junction.green_s, first=True, at_s=time_s + tick / 10) for tick in range(int(CYCLE_S * 10)))
    assert abs(greens / 10 - GREEN_S) <= 0.2


def test_near_leaves_out_the_far(clock: ManualClock) -> None:
    """Who is asked for near a point is exactly who of all is near it."""
    near = Near(-20.0, 30.0, 90.0)
    time_s = 1_790_000_000.5
    for crowd in (vehicles, walkers):
        expected = [a for a in crowd(1, time_s) if math.hypot(a.x + 20.0, a.y - 30.0) < 90.0]
        assert crowd(1, time_s, near) == expected


def test_there_is_life(clock: ManualClock) -> None:
    """There are cars, vans, buses and people, and one white van."""
    actors = Town(seed=1, clock=clock).actors(NOW_NS)
    kinds = {kind: sum(actor.kind == kind for actor in actors) for kind in ("car", "van", "bus", "person")}
    assert all(count >= 3 for count in kinds.values()), kinds
    assert kinds["person"] > 300


def test_sites(clock: ManualClock) -> None:
    """Hundreds of cameras stand at distinct places with distinct names, outside of walls, looking down a little."""
    town = Town(seed=1, clock=clock)
    sites = town.sites(300)
    assert len({site.name for site in sites}) == 300
    assert town.sites(12) == sites[:12]
    for site in sites:
        x, y = site.at
        spot = ((x - 0.1, y - 0.1), (x + 0.1, y - 0.1), (x + 0.1, y + 0.1), (x - 0.1, y + 0.1))
        assert all(separate(spot, building.outline()) for building in town.buildings), site
        assert -25.0 <= site.tilt_deg <= -2.0
        assert 6.0 <= site.height_m <= 9.0
        assert 0.0 <= site.bearing_deg < 360.0
        assert distance_m(ORIGIN, town.place(site)) < 600.0


def test_first_sites_see_the_street(clock: ManualClock) -> None:
    """What the chosen sites look at lies open before them: no wall within 15 metres of the pole on their axis."""
    town = Town(seed=1, clock=clock)
    for site in town.sites(16):
        for bearing in (site.bearing_deg - 8, site.bearing_deg, site.bearing_deg + 8):
            for ahead in (3.0, 6.0, 9.0, 12.0, 15.0):
                x = site.at[0] + ahead * math.sin(math.radians(bearing))
                y = site.at[1] + ahead * math.cos(math.radians(bearing))
                spot = ((x - 0.1, y - 0.1), (x + 0.1, y - 0.1), (x + 0.1, y + 0.1), (x - 0.1, y + 0.1))
                assert all(separate(spot, building.outline()) for building in town.buildings), (site.name, ahead)


def test_ground(clock: ManualClock) -> None:
    """The map holds every street, area and building, each ring closed and near Market Square."""
    town = Town(seed=1, clock=clock)
    ground = ground_geojson(town)
    assert ground["type"] == "FeatureCollection"
    kinds = [feature["properties"]["kind"] for feature in ground["features"]]
    assert kinds.count("street") == len(STREETS)
    assert kinds.count("building") == len(town.buildings)
    assert {area.kind for area in AREAS} == set(kinds) - {"street", "building"}
    for feature in ground["features"]:
        coordinates = feature["geometry"]["coordinates"]
        points = coordinates if feature["geometry"]["type"] == "LineString" else coordinates[0]
        if feature["geometry"]["type"] == "Polygon":
            assert points[0] == points[-1]
        for longitude, latitude in points:
            assert abs(longitude - ORIGIN.longitude_deg) < 0.01
            assert abs(latitude - ORIGIN.latitude_deg) < 0.01
    assert PLANE.to_place(0.0, 0.0) == ORIGIN
