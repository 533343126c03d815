"""Buildings: walls in sun and shade, windows, doors, shop fronts, roofs and chimneys."""

import math
import random

from drivers.simulator.picture.light import Colour, lit, mixed, scaled
from drivers.simulator.picture.projection import Vertex
from drivers.simulator.picture.solids import Face, Solid, Wall, add_box, seen_from, square
from drivers.simulator.town.buildings import Building

_GLASS: Colour = (70, 88, 106)
_SKYGLASS: Colour = (150, 178, 200)
_FRAME: Colour = (232, 230, 222)


def _shade(wall: Wall) -> float:
    """Return how bright this wall is against one in the full sun, for what is not painted by ``lit``."""
    return 0.55 + 0.45 * sum(lit((200, 200, 200), wall.normal)) / 600


def _window(  # noqa: PLR0913, PLR0917 - a rectangle on a wall
    solid: Solid, wall: Wall, rng: random.Random, u: float, v: float, width: float, height: float
) -> None:
    shade = _shade(wall)
    glass = scaled(mixed(_GLASS, _SKYGLASS, rng.uniform(0.0, 0.75)), shade)
    frame = scaled(_FRAME, shade)
    solid.faces += [
        Face(wall.pane(u - 0.1, u + width + 0.1, v - 0.16, v + height + 0.08), frame, width, solid=False),
        Face(wall.pane(u, u + width, v, v + height), glass, width, solid=False),
        Face(wall.pane(u, u + width, v + height * 0.48, v + height * 0.54), frame, 0.09, solid=False),
    ]
    if rng.random() < 0.45:  # a blind or curtains
        solid.faces.append(
            Face(
                wall.pane(u, u + width, v + height * rng.uniform(0.55, 0.8), v + height),
                scaled((214, 206, 190), shade),
                height * 0.3,
                solid=False,
            )
        )


def _storeys(  # noqa: PLR0913 - a wall and what is known of it
    solid: Solid, wall: Wall, building: Building, rng: random.Random, *, from_storey: int, front: bool
) -> None:
    gap = 2.3 if front else 3.4
    count = int((wall.width_m - 1.0) / gap)
    if count < 1:
        return
    width = 1.05 if front else 0.9
    pitch = wall.width_m / count
    shade = _shade(wall)
    for storey in range(from_storey, building.storeys):
        floor = storey * building.storey_m
        height = building.storey_m * (0.52 if storey == from_storey else 0.46)
        for column in range(count):
            u = pitch * (column + 0.5) - width / 2
            _window(solid, wall, rng, u, floor + 0.95, width, height)
        if front and storey:
            band = wall.pane(0.0, wall.width_m, floor + 0.18, floor + 0.34)
            solid.faces.append(Face(band, scaled(lit(building.wall, wall.normal), 1.16), 0.16, solid=False))
    if front and not from_storey:
        u = pitch * (count // 2 + 0.5) - 0.55
        door = rng.choice(((44, 66, 96), (112, 32, 36), (40, 74, 54), (38, 38, 42)))
        if 0.0 < u < wall.width_m - 1.2:
            solid.faces += [
                Face(wall.pane(u - 0.14, u + 1.24, 0.0, 2.5), scaled(_FRAME, shade), 1.2, solid=False),
                Face(wall.pane(u, u + 1.1, 0.05, 2.2), scaled(door, shade), 1.1, solid=False),
            ]


def _shop(  # noqa: PLR0913, PLR0917 - a wall and what is known of it
    solid: Solid, wall: Wall, eye: Vertex, building: Building, fascia: Colour, rng: random.Random
) -> None:
    width, floor, shade = wall.width_m, building.storey_m, _shade(wall)
    solid.faces.append(
        Face(wall.pane(0.3, width - 0.3, 0.0, floor), scaled(mixed(fascia, (40, 40, 44), 0.4), shade), 3.0, solid=False)
    )
    bays = max(2, round(width / 3.0))
    pitch = (width - 0.8) / bays
    door = rng.randrange(bays)
    for bay in range(bays):
        u = 0.4 + bay * pitch
        low = 0.1 if bay == door else 0.55
        glass = scaled(mixed((58, 66, 78), (198, 178, 130), rng.uniform(0.05, 0.5)), shade)
        solid.faces.append(Face(wall.pane(u + 0.1, u + pitch - 0.1, low, floor - 0.85), glass, 1.0, solid=False))
        if bay != door:  # what is on show, and the sky in the pane
            for _ in range(3):
                left = u + 0.2 + rng.uniform(0.0, max(0.1, pitch - 1.0))
                goods = rng.choice(((190, 80, 60), (220, 190, 120), (90, 130, 150), (210, 210, 205), (120, 90, 130)))
                solid.faces.append(
                    Face(
                        wall.pane(left, left + 0.5, low + 0.1, low + rng.uniform(0.5, 1.1)),
                        scaled(goods, shade * 0.8),
                        0.4,
                        solid=False,
                    )
                )
            solid.faces.append(
                Face((wall.at(u + 0.3, floor - 0.9), wall.at(u + 0.7, floor - 0.9), wall.at(u + 0.35, low + 0.8),
                      wall.at(u + 0.15, low + 0.8)), scaled(_SKYGLASS, shade), 0.25, solid=False)
            )  # fmt: skip
    solid.faces.append(
        Face(wall.pane(0.25, width - 0.25, floor - 0.85, floor - 0.1), scaled(fascia, shade * 1.05), 0.7, solid=False)
    )
    letters = rng.randrange(4, 9)
    left = (width - letters * 0.52) / 2
    ink = (240, 236, 220) if sum(fascia) < 420 else (40, 34, 30)
    for letter in range(letters):
        u = left + letter * 0.52
        tall = rng.choice((0.34, 0.34, 0.26))
        solid.faces.append(
            Face(wall.pane(u, u + rng.uniform(0.2, 0.36), floor - 0.66, floor - 0.66 + tall), scaled(ink, shade), 0.26,
                 solid=False)
        )  # fmt: skip
    if rng.random() < 0.5:
        _awning(solid, wall, eye, floor, fascia, rng)


def _awning(  # noqa: PLR0913, PLR0917 - a wall and what is known of it
    solid: Solid, wall: Wall, eye: Vertex, floor: float, fascia: Colour, rng: random.Random
) -> None:
    high, low, out = floor - 0.85, floor - 1.35, 1.3
    stripes = max(3, int(wall.width_m / 0.7))
    pitch = (wall.width_m - 0.8) / stripes
    pale = rng.choice(((236, 230, 216), (224, 214, 190)))
    for stripe in range(stripes):
        u = 0.4 + stripe * pitch
        colour = fascia if stripe % 2 else pale
        top = (
            wall.at(u, low, out),
            wall.at(u + pitch, low, out),
            wall.at(u + pitch, high, 0.02),
            wall.at(u, high, 0.02),
        )
        normal = seen_from(eye, top)
        shade = lit(colour, normal) if normal else scaled(colour, 0.5)
        solid.faces.append(Face(top, shade, 0.5, solid=False))
        valance = (wall.at(u, low - 0.22, out), wall.at(u + pitch, low - 0.22, out), wall.at(u + pitch, low, out),
                   wall.at(u, low, out))  # fmt: skip
        solid.faces.append(Face(valance, lit(scaled(colour, 0.9), wall.normal), 0.22, solid=False))


def _roof(solid: Solid, building: Building, eye: Vertex, rng: random.Random) -> None:
    a, b, c, d = building.outline()
    eaves = building.eaves_m
    if building.roof == "flat":
        high = eaves + building.roof_m
        add_box(solid, eye, (a, b, c, d), eaves, high, scaled(building.wall, 1.06), top=False)
        if eye[2] > high:
            deck = tuple((x, y, high - 0.02) for x, y in (a, b, c, d))
            solid.faces.append(Face(deck, lit((138, 138, 136), (0.0, 0.0, 1.0)), 5.0))
        return
    x, y = building.centre
    if building.roof == "spire":
        tip = (x, y, eaves + building.roof_m)
        slopes = [(one, two, tip) for one, two in ((a, b), (b, c), (c, d), (d, a))]
        faces = [((p[0], p[1], eaves), (q[0], q[1], eaves), top) for p, q, top in slopes]
    else:
        high = eaves + building.roof_m
        e = ((b[0] + c[0]) / 2, (b[1] + c[1]) / 2, high)
        f = ((a[0] + d[0]) / 2, (a[1] + d[1]) / 2, high)
        gables = [((b[0], b[1], eaves), (c[0], c[1], eaves), e), ((d[0], d[1], eaves), (a[0], a[1], eaves), f)]
        for gable in gables:
            normal = seen_from(eye, gable)
            if normal:
                solid.faces.append(Face(gable, lit(building.wall, normal), 3.0))
        faces = [((a[0], a[1], eaves), (b[0], b[1], eaves), e, f), ((c[0], c[1], eaves), (d[0], d[1], eaves), f, e)]  # type: ignore[list-item]
    for face in faces:
        normal = seen_from(eye, face)
        if normal:
            solid.faces.append(Face(face, lit(building.tiles, normal), 3.0))
            if len(face) == 4:
                _courses(solid, face, lit(scaled(building.tiles, 0.9), normal))
    if building.roof == "gable" and building.width_m < 20 and rng.random() < 0.75:
        side = rng.choice((-1, 1)) * (building.width_m / 2 - 0.6)
        fx, fy = building.front
        at = (x - fy * side, y + fx * side)
        add_box(solid, eye, square(at, building.front, 1.1, 0.8), high - 0.7, high + 1.2, scaled(building.wall, 0.9))
        add_box(solid, eye, square(at, building.front, 0.5, 0.3), high + 1.2, high + 1.55, (190, 110, 80))


def _courses(solid: Solid, slope: tuple[Vertex, ...], colour: Colour) -> None:
    """Lay a few darker courses of tiles along a slope."""
    low_a, low_b, high_b, high_a = slope
    for course in range(1, 7):
        s, t = course / 7, course / 7 + 0.022

        def between(p: Vertex, q: Vertex, share: float) -> Vertex:
            return p[0] + (q[0] - p[0]) * share, p[1] + (q[1] - p[1]) * share, p[2] + (q[2] - p[2]) * share

        line = (
            between(low_a, high_a, s),
            between(low_b, high_b, s),
            between(low_b, high_b, t),
            between(low_a, high_a, t),
        )
        solid.faces.append(Face(line, colour, 0.14, solid=False))


def enclosing(building: Building) -> Solid:
    """Return a building's footprint and heights without its faces."""
    # Chimneys stand a little above the ridge.
    return Solid(building.outline(), building.eaves_m + building.roof_m + 1.6, opaque_m=building.eaves_m)


def raise_building(building: Building, eye: Vertex) -> Solid:
    """Return what ``eye`` sees of a building."""
    rng = random.Random(building.seed)  # noqa: S311 - a drawing
    outline = building.outline()
    solid = enclosing(building)
    for side in range(4):
        wall = Wall.between(outline[side], outline[(side + 1) % 4])
        front = side == 0
        if not wall.faces(eye):
            rng.random()
            continue
        colour = building.wall if front else scaled(building.wall, 0.95)
        solid.faces.append(Face(wall.pane(0.0, wall.width_m, 0.0, building.eaves_m), lit(colour, wall.normal), 3.0))
        details = random.Random(building.seed + side)  # noqa: S311 - a drawing
        if front and building.shop is not None:
            _shop(solid, wall, eye, building, building.shop, details)
            _storeys(solid, wall, building, details, from_storey=1, front=True)
        elif front or side == 2 or building.name:
            _storeys(solid, wall, building, details, from_storey=0, front=front or bool(building.name))
        plinth = wall.pane(0.0, wall.width_m, 0.0, 0.35)
        solid.faces.append(Face(plinth, scaled(lit(building.wall, wall.normal), 0.72), 0.35, solid=False))
    if building.name.endswith("Hall tower"):
        _clock(solid, outline, eye, building.eaves_m - 3.2)
    _roof(solid, building, eye, rng)
    return solid


def _clock(solid: Solid, outline: tuple[tuple[float, float], ...], eye: Vertex, middle_m: float) -> None:
    for left, right in zip(outline, outline[1:] + outline[:1], strict=True):
        wall = Wall.between(left, right)
        if wall.faces(eye):
            u = wall.width_m / 2
            for radius, colour in ((1.7, (52, 54, 60)), (1.5, (240, 236, 224))):
                ring = tuple(
                    wall.at(u + radius * math.cos(turn), middle_m + radius * math.sin(turn))
                    for turn in (index * math.pi / 8 for index in range(16))
                )
                solid.faces.append(Face(ring, scaled(colour, _shade(wall)), 1.5, solid=False))
            for du, dv in ((0.9, 0.5), (-0.2, 1.25)):
                hand = (wall.at(u - dv * 0.07, middle_m + du * 0.07), wall.at(u + dv * 0.07, middle_m - du * 0.07),
                        wall.at(u + du, middle_m + dv))  # fmt: skip
                solid.faces.append(Face(hand, (40, 40, 46), 0.15, solid=False))
