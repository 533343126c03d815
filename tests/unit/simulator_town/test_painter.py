"""What a camera sees of the town."""

import math

import numpy as np
import pytest

from drivers.simulator.picture.backdrop import paint_backdrop
from drivers.simulator.picture.painter import Painter, actors_in_view, view_of
from drivers.simulator.town.town import Town
from kernel.clock import NS_PER_S
from tests.fakes.clock import ManualClock
from tests.unit.simulator_town.conftest import aim_at, mount_of, scene_of

W, H = 320, 180


def _mean_difference(one: object, two: object) -> float:
    return float(np.abs(np.asarray(one, dtype=int) - np.asarray(two, dtype=int)).mean())


def test_same_moment_same_picture(clock: ManualClock) -> None:
    """Two cameras at one place paint the same pixels at the same instant."""
    first, second = (Painter(Town(seed=1, clock=clock), mount_of(Town(seed=1, clock=clock), 2)) for _ in range(2))
    now = clock.wall_ns()
    assert np.array_equal(first.paint(aim_at(), now, W, H), second.paint(aim_at(), now, W, H))


def test_a_fresh_array_each_time(painter: Painter, clock: ManualClock) -> None:
    """What a caller writes into his picture is not in the next."""
    one = painter.paint(aim_at(), clock.wall_ns(), W, H)
    kept = one.copy()
    one[:] = 0
    assert np.array_equal(painter.paint(aim_at(), clock.wall_ns(), W, H), kept)


def test_life_goes_on(painter: Painter, clock: ManualClock) -> None:
    """A second later somebody has moved, and most of the picture has not."""
    now = clock.wall_ns()
    one, two = (painter.paint(aim_at(), now + second * NS_PER_S, W, H) for second in (0, 1))
    changed = (np.abs(one.astype(int) - two).max(axis=2) > 12).mean()
    assert 0.0005 < changed < 0.3


@pytest.mark.parametrize("turned", [aim_at(10.0), aim_at(tilt_deg=-14.0), aim_at(hfov_deg=30.0)])
def test_steering_is_seen(painter: Painter, clock: ManualClock, turned: object) -> None:
    """Pan, tilt and zoom each change the whole picture."""
    still = painter.paint(aim_at(), clock.wall_ns(), W, H)
    moved = painter.paint(turned, clock.wall_ns(), W, H)  # type: ignore[arg-type]
    assert _mean_difference(still, moved) > 10.0


def test_pan_shifts_the_picture(painter: Painter, clock: ManualClock) -> None:
    """Turned right by as much as some columns are wide at the middle, the picture is shifted left by that many."""
    hfov, columns = 20.0, 24
    focal = W / 2 / math.tan(math.radians(hfov / 2))
    pan = math.degrees(math.atan2(columns, focal))
    first = painter.paint(aim_at(0.0, -4.0, hfov), clock.wall_ns(), W, H)
    second = painter.paint(aim_at(pan, -4.0, hfov), clock.wall_ns(), W, H)
    middle = slice(W // 2 - 60, W // 2 + 60)
    shifted = slice(W // 2 - 60 + columns, W // 2 + 60 + columns)
    assert _mean_difference(first[20:-40, shifted], second[20:-40, middle]) < 0.6 * _mean_difference(
        first[20:-40, middle], second[20:-40, middle]
    )


def test_coarse_and_fine_show_the_same(painter: Painter, clock: ManualClock) -> None:
    """While the head moves the picture is rougher, not another."""
    fine = painter.paint(aim_at(), clock.wall_ns(), W, H)
    other = painter.paint(aim_at(moving=True), clock.wall_ns(), W, H)
    assert np.array_equal(fine, other), "a fine backdrop is kept while it serves"
    painter.paint(aim_at(5.0, moving=True), clock.wall_ns(), W, H)
    coarse = painter.paint(aim_at(moving=True), clock.wall_ns(), W, H)
    assert 0.0 < _mean_difference(fine, coarse) < 14.0


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (640, 360), (160, 90)])
def test_any_size(painter: Painter, clock: ManualClock, width: int, height: int) -> None:
    """Every size shows the same scene."""
    large = painter.paint(aim_at(), clock.wall_ns(), width, height)
    assert large.shape == (height, width, 3)
    assert large.dtype == np.uint8
    small = painter.paint(aim_at(), clock.wall_ns(), 160, 90)
    reduced = large.reshape(90, height // 90, 160, width // 160, 3).mean(axis=(1, 3))
    assert _mean_difference(small, reduced) < 8.0


@pytest.mark.parametrize("tilt", [15.0, -85.0, -60.0])
@pytest.mark.parametrize("hfov", [62.0, 4.0])
def test_wherever_a_head_can_point(painter: Painter, clock: ManualClock, tilt: float, hfov: float) -> None:
    """At every limit of the head there is a picture."""
    for pan in (-170.0, -90.0, 0.0, 90.0, 170.0):
        picture = painter.paint(aim_at(pan, tilt, hfov, moving=True), clock.wall_ns(), W, H)
        assert picture.shape == (H, W, 3)


def test_sky_above_ground_below(painter: Painter, clock: ManualClock) -> None:
    """Looking up there is blue sky; looking down there is no sky."""
    up = painter.paint(aim_at(tilt_deg=15.0), clock.wall_ns(), W, H)[:10].reshape(-1, 3).mean(axis=0)
    down = painter.paint(aim_at(tilt_deg=-50.0), clock.wall_ns(), W, H).reshape(-1, 3).mean(axis=0)
    assert up[2] > up[0] + 40
    assert down[2] < up[2] - 60


def test_sunny_walls_are_brighter() -> None:
    """Of the same wall, the face in the sun is brighter than the one in the shade."""
    from drivers.simulator.picture.light import lit  # noqa: PLC0415 - this test's only need of it

    brick = (158, 92, 70)
    south, north, top = (lit(brick, normal) for normal in ((0.0, -1.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
    assert sum(top) > sum(south) > sum(north)


def test_a_house_hides_who_is_behind_it(town: Town) -> None:
    """Somebody behind a building is hidden by it; somebody before it is not."""
    scene = scene_of(2)
    eye = np.array(scene.eye[:2])
    wide = [i for i, solid in enumerate(scene.solids) if solid.opaque_m > 0]
    assert wide
    for index in wide[-10:]:
        middle = np.array(scene.solids[index].footprint).mean(axis=0)
        away = (middle - eye) / np.linalg.norm(middle - eye)
        reach = 30.0
        behind, before = middle + away * reach, middle - away * reach
        if np.dot(before - eye, away) > 1.0:
            assert not scene.depths.hiding(before[None])[0, index]
        assert scene.depths.hiding(behind[None])[0, index]


def test_nearer_things_are_painted_later() -> None:
    """Of two things one of which may hide the other, the hidden one comes first."""
    scene = scene_of(2)
    eye = np.array(scene.eye[:2])
    for later, solid in enumerate(scene.solids):
        corners = np.array(solid.footprint)
        for earlier in range(max(0, later - 40), later):
            other = np.array(scene.solids[earlier].footprint)
            # Wholly nearer and in the same direction: it must not have been painted before.
            if np.linalg.norm(other - eye, axis=1).max() < np.linalg.norm(corners - eye, axis=1).min():
                turns = [np.arctan2(*(points - eye).T) for points in (corners, other)]
                apart = turns[0].min() > turns[1].max() or turns[1].min() > turns[0].max()
                around = max(np.ptp(turn) for turn in turns) > math.pi
                assert apart or around


def test_owners_are_what_is_seen(town: Town, clock: ManualClock) -> None:
    """The pixel of a wall's middle, where nothing is before it, belongs to that wall's building."""
    scene = scene_of(2)
    view = view_of(mount_of(town, 2), aim_at(), W, H)
    backdrop = paint_backdrop(scene, view, fine=False)
    assert backdrop.owners.shape == backdrop.shade.shape == (H, W)
    assert backdrop.owners.max() <= len(scene.solids)
    nearest = backdrop.owners[H // 2, 5]
    assert nearest > 0
    assert scene.solids[nearest - 1].opaque_m > 0


def test_actors_in_view_are_in_view(town: Town, clock: ManualClock) -> None:
    """Whoever is in view has a pixel in or close to the picture, and the farthest comes first."""
    view = view_of(mount_of(town, 2), aim_at(), W, H)
    actors = actors_in_view(town, view, clock.wall_ns())
    assert actors
    distances = [math.dist((actor.x, actor.y), view.eye[:2]) for actor in actors]
    assert distances == sorted(distances, reverse=True)
    for actor in actors:
        at = view.pixel((actor.x, actor.y, 1.0))
        assert at is None or -W <= at[0] <= 2 * W
    assert actors_in_view(town, view, clock.wall_ns(), reach_m=1.0) == []


def test_the_van_is_seen(town: Town, clock: ManualClock) -> None:
    """Aimed at, the white van fills the middle of the picture with white."""
    painter = Painter(town, mount_of(town, 2))
    mount = mount_of(town, 2)
    east, north = town.sites(2)[1].at
    seen = []
    for second in range(0, 160, 4):
        at = clock.wall_ns() + second * NS_PER_S
        van = town.van.where(at)
        distance = math.dist((van.x, van.y), (east, north))
        if not 15.0 < distance < 60.0:
            continue
        pan = math.degrees(math.atan2(van.x - east, van.y - north)) - mount.bearing_deg
        tilt = -math.degrees(math.atan2(mount.place.height_m - 1.3, distance))
        picture = painter.paint(aim_at((pan + 180) % 360 - 180, tilt, 10.0, moving=True), at, W, H)
        middle = picture[H // 2 - 15 : H // 2 + 15, W // 2 - 15 : W // 2 + 15].astype(int)
        grey = middle.max(axis=2) - middle.min(axis=2) < 60
        seen.append(bool((grey & (middle.min(axis=2) > 110)).mean() > 0.25))
    # A tree or a bus may stand before it once.
    assert sum(seen) >= len(seen) / 2


@pytest.mark.parametrize("number", [1, 9, 10, 13])
def test_squares_parks_and_water(town: Town, clock: ManualClock, number: int) -> None:
    """Stalls, benches, trees and boats are painted: there are many colours where they stand."""
    site = town.sites(number)[number - 1]
    picture = Painter(town, mount_of(town, number)).paint(aim_at(tilt_deg=site.tilt_deg), clock.wall_ns(), W, H)
    assert len(np.unique((picture // 16).reshape(-1, 3), axis=0)) > 120
