"""Where cameras stand: a dozen chosen by eye, and as many more as are asked for along the streets."""

import math
import random
from dataclasses import dataclass

from drivers.simulator.town.streets import JUNCTIONS, STREETS, Point, along
from kernel.geography import bearing_wrap


@dataclass(frozen=True, slots=True)
class Site:
    """One camera's pole, in metres from Market Square, and what its head looks at when it is at home."""

    name: str
    street: str
    at: Point
    height_m: float
    bearing_deg: float
    tilt_deg: float
    zoom: float = 0.0
    wide_deg: float = 62.0


def _looking(  # noqa: PLR0913 - one row of the table below
    name: str, street: str, at: Point, height_m: float, toward: Point, *, drop: float = 1.5, zoom: float = 0.0
) -> Site:
    """Return a site that looks at a point ``drop`` metres above the ground."""
    east, north = toward[0] - at[0], toward[1] - at[1]
    bearing = bearing_wrap(math.degrees(math.atan2(east, north)))
    tilt = -math.degrees(math.atan2(height_m - drop, math.hypot(east, north)))
    return Site(name, street, at, height_m, round(bearing, 1), round(tilt, 1), zoom)


_CHOSEN: tuple[Site, ...] = (
    _looking("Market Square", "High Street", (-41.0, 14.5), 8.0, (-2.0, 62.0)),
    _looking("High Street / Station Road", "High Street", (40.5, -7.5), 7.5, (-10.0, 1.0)),
    _looking("Station Road South", "Station Road", (58.8, -9.0), 7.0, (53.0, -70.0)),
    _looking("Church Street", "Church Street", (-107.0, 6.5), 7.0, (-110.0, 48.0)),
    _looking("Park Avenue", "Park Avenue", (219.0, 18.0), 7.0, (226.0, 70.0)),
    _looking("Mill Lane", "Mill Lane", (60.0, 116.5), 7.0, (115.0, 114.0)),
    _looking("Station Forecourt", "Station Road", (78.0, -239.0), 8.5, (112.0, -205.0)),
    _looking("High Street West", "High Street", (-119.0, -14.0), 7.5, (-178.0, -13.0)),
    _looking("Canal Street", "Canal Street", (-116.0, -139.5), 7.0, (-60.0, -132.0)),
    _looking("Jubilee Park Gate", "Park Avenue", (231.0, 27.0), 6.5, (290.0, 80.0)),
    _looking("Wharf Basin", "Wharf Road", (-160.0, -248.5), 8.0, (-210.0, -205.0)),
    _looking("North Parade", "North Parade", (72.5, 251.0), 7.0, (140.0, 250.0)),
    _looking("High Street East", "High Street", (204.0, 14.5), 7.5, (130.0, 4.0)),
    _looking("Bridge Street", "Bridge Street", (-267.5, -17.0), 7.0, (-278.0, 40.0)),
    _looking("Weavers Green", "Mill Lane", (-268.0, 132.5), 7.0, (-210.0, 176.0)),
    _looking("Town Hall Steps", "Market Square", (30.5, 70.5), 9.0, (-18.0, 34.0)),
)


def camera_sites(count: int, seed: int) -> tuple[Site, ...]:
    """Return ``count`` sites; the first are always the same, the rest follow from the seed."""
    sites = list(_CHOSEN[:count])
    rng = random.Random(f"sites {seed}")  # noqa: S311 - a drawing
    used: dict[str, int] = {site.name: 1 for site in sites}
    while len(sites) < count:
        line = rng.choice(STREETS)
        side = rng.choice((-1, 1))
        station = rng.uniform(60.0, line.path.length_m - 60.0)
        at, bearing = along(line, station, side * (line.carriageway_m / 2 + 0.7))
        crossing = min(JUNCTIONS, key=lambda j: math.dist(j.at, at))
        near = {crossing.first.name, crossing.second.name} - {line.name}
        close = math.dist(crossing.at, at) < 40.0 and len(near) == 1
        name = f"{line.name} / {near.pop()}" if close else line.name
        used[name] = used.get(name, 0) + 1
        label = name if used[name] == 1 else f"{name} {used[name]}"
        # Along the street, a little towards its middle.
        away = bearing_wrap(bearing + rng.choice((0.0, 180.0)))
        inward = 4.0 if (away == bearing) == (side > 0) else -4.0
        sites.append(Site(label, line.name, at, rng.uniform(6.0, 8.5), round(bearing_wrap(away + inward), 1), -9.0))
    return tuple(sites)
