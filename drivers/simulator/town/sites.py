"""Where cameras stand: a dozen chosen by eye, and as many more as are asked for along the streets."""

import math
import random
from dataclasses import dataclass

import numpy as np

from drivers.simulator.town.streets import JUNCTIONS, STREETS, Point, along, street
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


def _along(  # noqa: PLR0913 - one row of the table below
    name: str, street_name: str, near: Point, *, side: int, ahead_m: float, height_m: float = 7.0
) -> Site:
    """Return a site at the kerb of a street, left (1) or right (-1) of its course, that looks along it.

    ``ahead_m`` is how far along the street it looks, against its course where negative.
    """
    line = street(street_name)
    stations = np.arange(2001) * line.path.length_m / 2000
    points, _ = line.path.at(stations)
    station = float(stations[np.hypot(*(points - near).T).argmin()])
    at, _ = line.path.one(station, side * (line.carriageway_m / 2 + 0.7))
    # Towards the other half of the street, so that the houses behind the pole stay out of the picture.
    toward, _ = line.path.one(station + ahead_m, -side * line.carriageway_m * 0.4)
    return _looking(name, street_name, at, height_m, toward)


_CHOSEN: tuple[Site, ...] = (
    _looking("Market Square", "High Street", (-39.0, 13.0), 8.0, (0.0, 60.0)),
    _along("High Street", "High Street", (36.0, 0.0), side=1, ahead_m=-50.0, height_m=7.5),
    _along("Station Road South", "Station Road", (53.0, -16.0), side=-1, ahead_m=-45.0),
    _looking("Park Avenue", "Park Avenue", (219.0, 18.0), 7.0, (226.0, 70.0)),
    _along("High Street East", "High Street", (200.0, 7.5), side=1, ahead_m=-50.0, height_m=7.5),
    _looking("Town Hall Steps", "Market Square", (32.0, 71.0), 9.0, (-18.0, 28.0)),
    _along("Church Street", "Church Street", (-111.0, 8.0), side=-1, ahead_m=44.0),
    _along("High Street West", "High Street", (-124.0, -8.0), side=-1, ahead_m=-48.0, height_m=7.5),
    _looking("Station Forecourt", "Station Road", (78.0, -239.0), 8.5, (112.0, -205.0)),
    _looking("Jubilee Park", "Park Avenue", (232.0, 112.0), 7.0, (290.0, 76.0)),
    _along("Canal Street", "Canal Street", (-116.0, -134.0), side=-1, ahead_m=52.0),
    _along("North Parade", "North Parade", (74.0, 245.0), side=-1, ahead_m=46.0),
    _looking("Wharf Basin", "Wharf Road", (-168.5, -183.0), 8.0, (-215.0, -212.0)),
    _along("Bridge Street", "Bridge Street", (-274.0, -14.0), side=1, ahead_m=46.0),
    _looking("Weavers Green", "Mill Lane", (-254.0, 152.5), 7.0, (-200.0, 186.0)),
    _along("Mill Lane", "Mill Lane", (62.0, 112.0), side=1, ahead_m=48.0),
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
        inward = 9.0 if (away == bearing) == (side > 0) else -9.0
        sites.append(Site(label, line.name, at, rng.uniform(6.0, 8.5), round(bearing_wrap(away + inward), 1), -9.0))
    return tuple(sites)
