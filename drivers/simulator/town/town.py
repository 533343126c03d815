"""The town as a whole: what a painter, a map and a motion detector ask."""

import math
from functools import cached_property
from typing import Any

from drivers.simulator.town.buildings import Building, Prop, furnish, raise_buildings
from drivers.simulator.town.sites import Site, camera_sites
from drivers.simulator.town.streets import AREAS, STREETS, Point
from drivers.simulator.town.traffic import EVERYWHERE, Actor, Near, strollers, vehicles, walkers
from drivers.simulator.town.van import Van
from kernel.clock import NS_PER_S, Clock
from kernel.geography import LocalPlane, Place

ORIGIN = Place(51.5460, -0.0205)
"""Market Square. The town is imagined on marshland in the east of London, where no street is."""

PLANE = LocalPlane(ORIGIN)


class Town:
    """One town: two of the same seed and clock are the same at every instant."""

    def __init__(self, *, seed: int, clock: Clock) -> None:
        self.seed = seed
        self.van = Van(clock)

    @cached_property
    def buildings(self) -> tuple[Building, ...]:
        """Return everything with walls."""
        return tuple(raise_buildings(self.seed))

    @cached_property
    def props(self) -> tuple[Prop, ...]:
        """Return everything small that stands."""
        return tuple(furnish(self.seed))

    def sites(self, count: int) -> tuple[Site, ...]:
        """Return where ``count`` cameras stand."""
        return camera_sites(count, self.seed)

    def place(self, site: Site) -> Place:
        """Return a site in geographic coordinates."""
        return PLANE.to_place(site.at[0], site.at[1], site.height_m)

    def actors(self, wall_ns: int, near: Near = EVERYWHERE) -> list[Actor]:
        """Return everybody and everything that moves, at a true instant."""
        time_s = wall_ns / NS_PER_S
        van = self.van.where(wall_ns)
        others = [
            actor
            for actor in vehicles(self.seed, time_s, near)
            # The round ignores the traffic; whom it would drive through is not on the road for that moment.
            if math.hypot(actor.x - van.x, actor.y - van.y) > 7.0
            or actor.heading[0] * van.heading[0] + actor.heading[1] * van.heading[1] < -0.5
        ]
        others += walkers(self.seed, time_s, near)
        others += strollers(self.seed, time_s, near)
        if math.hypot(van.x - near.x, van.y - near.y) < near.reach_m:
            others.append(van)
        return others


def _ring(outline: tuple[Point, ...]) -> list[list[float]]:
    ring = []
    for east, north in (*outline, outline[0]):
        place = PLANE.to_place(east, north)
        ring.append([round(place.longitude_deg, 7), round(place.latitude_deg, 7)])
    return ring


def _feature(kind: str, geometry: str, coordinates: Any, **properties: object) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"kind": kind, **properties},
        "geometry": {"type": geometry, "coordinates": coordinates},
    }


def ground_geojson(town: Town) -> dict[str, Any]:
    """Return a map of the town: a GeoJSON FeatureCollection (RFC 7946) in the order in which it is drawn.

    ``kind`` is park, square, water, street (LineString, with ``name`` and ``width_m``) or building (``height_m``).
    """
    features = [_feature(area.kind, "Polygon", [_ring(area.outline)], name=area.name) for area in AREAS]
    for street in STREETS:
        line = [PLANE.to_place(*point) for point in street.path.points]
        features.append(
            _feature(
                "street",
                "LineString",
                [[round(p.longitude_deg, 7), round(p.latitude_deg, 7)] for p in line],
                name=street.name,
                width_m=street.carriageway_m,
            )
        )
    for building in town.buildings:
        names = {"name": building.name} if building.name else {}
        features.append(
            _feature("building", "Polygon", [_ring(building.outline())], height_m=round(building.eaves_m, 1), **names)
        )
    return {"type": "FeatureCollection", "features": features}
