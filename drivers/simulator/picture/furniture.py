"""Trees, lamps, signals, benches, market stalls and parked cars."""

import random
from collections.abc import Callable

from drivers.simulator.picture.bodies import car_faces
from drivers.simulator.picture.light import Colour, lit, scaled
from drivers.simulator.picture.projection import Vertex
from drivers.simulator.picture.solids import Face, Solid, Wall, add_box, seen_from, square, towards, tree, upright
from drivers.simulator.town.buildings import Prop

_METAL: Colour = (78, 84, 88)


def _pole(solid: Solid, eye: Vertex, prop: Prop, height: float, width: float) -> None:
    right, _ = towards(eye, prop.at)
    half = width / 2
    shape = [(-half, 0.0), (half, 0.0), (half * 0.6, height), (-half * 0.6, height)]
    solid.faces.append(Face(upright(prop.at, right, shape), prop.colour, width))
    lit_side = [(-half, 0.0), (-half * 0.2, 0.0), (-half * 0.2, height), (-half * 0.6, height)]
    solid.faces.append(Face(upright(prop.at, right, lit_side), scaled(prop.colour, 1.45), width / 3, solid=False))


def _lamp(eye: Vertex, prop: Prop) -> Solid:
    solid = Solid(square(prop.at, (1.0, 0.0), 0.4, 0.4), prop.size_m + 0.4)
    _pole(solid, eye, prop, prop.size_m, 0.16)
    (x, y), (hx, hy), top = prop.at, prop.heading, prop.size_m
    arm = (
        (x, y, top - 0.05),
        (x + hx * 1.5, y + hy * 1.5, top + 0.25),
        (x + hx * 1.5, y + hy * 1.5, top + 0.33),
        (x, y, top + 0.07),
    )
    solid.faces.append(Face(arm, _METAL, 0.1))
    add_box(
        solid,
        eye,
        square((x + hx * 1.7, y + hy * 1.7), prop.heading, 0.75, 0.3),
        top + 0.16,
        top + 0.34,
        (196, 200, 202),
    )
    return solid


def _signal(eye: Vertex, prop: Prop) -> Solid:
    solid = Solid(square(prop.at, (1.0, 0.0), 0.4, 0.4), prop.size_m)
    _pole(solid, eye, prop, 2.4, 0.12)
    add_box(solid, eye, square(prop.at, prop.heading, 0.34, 0.34), 2.3, 3.4, (34, 36, 38))
    return solid


def _bench(eye: Vertex, prop: Prop) -> Solid:
    outline = square(prop.at, prop.heading, 1.8, 0.6)
    solid = Solid(outline, 0.9)
    add_box(solid, eye, square(prop.at, prop.heading, 1.7, 0.5), 0.2, 0.46, (120, 86, 56))
    return solid


def _stall(eye: Vertex, prop: Prop) -> Solid:
    rng = random.Random(prop.seed)  # noqa: S311 - a drawing
    outline = square(prop.at, prop.heading, 3.4, 2.6)
    solid = Solid(outline, 3.2)
    add_box(solid, eye, square(prop.at, prop.heading, 2.8, 1.9), 0.0, 0.95, (150, 120, 84))
    for index in range(7):
        (x, y), (hx, hy) = prop.at, prop.heading
        along = -1.2 + index * 0.4
        crate = square((x + hx * along, y + hy * along), prop.heading, 0.34, 1.5)
        goods = rng.choice(((206, 60, 48), (232, 164, 50), (96, 150, 60), (190, 130, 70), (150, 70, 120)))
        add_box(solid, eye, crate, 0.95, 1.12, goods)
    for corner in square(prop.at, prop.heading, 3.0, 2.2):
        add_box(solid, eye, square(corner, prop.heading, 0.08, 0.08), 0.0, 2.4, (200, 200, 196))
    a, b, c, d = outline
    ridge = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, 3.1), ((c[0] + d[0]) / 2, (c[1] + d[1]) / 2, 3.1)
    low_a, low_b, low_c, low_d = ((x, y, 2.4) for x, y in (a, b, c, d))
    slopes: tuple[tuple[Vertex, ...], ...] = (
        (low_b, low_c, ridge[1], ridge[0]),
        (low_d, low_a, ridge[0], ridge[1]),
        (low_a, low_b, ridge[0]),
        (low_c, low_d, ridge[1]),
    )
    for number, slope in enumerate(slopes):
        normal = seen_from(eye, slope)
        if normal is None:
            continue
        if number > 1:
            solid.faces.append(Face(slope, lit(prop.colour, normal), 1.0))
            continue
        left, right, high_right, high_left = slope
        for stripe in range(8):
            s, t = stripe / 8, (stripe + 1) / 8

            def on(p: Vertex, q: Vertex, share: float) -> Vertex:
                return p[0] + (q[0] - p[0]) * share, p[1] + (q[1] - p[1]) * share, p[2] + (q[2] - p[2]) * share

            band = on(left, right, s), on(left, right, t), on(high_left, high_right, t), on(high_left, high_right, s)
            colour = prop.colour if stripe % 2 else (238, 234, 222)
            solid.faces.append(Face(band, lit(colour, normal), 0.4))
    return solid


def _boat(eye: Vertex, prop: Prop) -> Solid:
    outline = square(prop.at, prop.heading, prop.size_m, 2.1)
    solid = Solid(outline, 1.9)
    add_box(solid, eye, outline, 0.0, 0.6, (36, 38, 44))
    cabin = square((prop.at[0] - prop.heading[0] * 0.8, prop.at[1] - prop.heading[1] * 0.8), prop.heading, 10.5, 1.8)
    add_box(solid, eye, cabin, 0.6, 1.5, prop.colour)
    for left, right in zip(cabin, cabin[1:] + cabin[:1], strict=True):
        wall = Wall.between(left, right)
        if wall.faces(eye) and wall.width_m > 5:
            for window in range(5):
                u = 1.0 + window * 1.9
                solid.faces.append(Face(wall.pane(u, u + 0.8, 0.95, 1.3), (210, 214, 210), 0.35, solid=False))
    add_box(solid, eye, square(prop.at, prop.heading, 0.5, 0.5), 1.5, 1.9, (60, 60, 64))
    return solid


def _parked(eye: Vertex, prop: Prop) -> Solid:
    solid = Solid(square(prop.at, prop.heading, 4.3, 1.8), 1.5)
    solid.faces += car_faces("car", prop.at, prop.heading, prop.colour, eye)
    return solid


def _tree(eye: Vertex, prop: Prop) -> Solid:
    return tree(eye, prop.at, prop.size_m, prop.colour, prop.seed)


_KINDS: dict[str, Callable[[Vertex, Prop], Solid]] = {
    "tree": _tree,
    "lamp": _lamp,
    "signal": _signal,
    "bench": _bench,
    "stall": _stall,
    "boat": _boat,
    "car": _parked,
}


def stand(prop: Prop, eye: Vertex) -> Solid:
    """Return what ``eye`` sees of a small thing."""
    return _KINDS[prop.kind](eye, prop)
