"""Places on the ground, and angles.

A borough is small: within some kilometres a local tangent plane on the WGS 84 ellipsoid is exact to centimetres.
Bearings are degrees clockwise from true north, 0 <= bearing < 360.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_WGS84_A_M = 6_378_137.0
_WGS84_E2 = 6.694_379_990_14e-3


@dataclass(frozen=True, slots=True)
class Place:
    """A point in WGS 84 degrees, with height above the ground where it matters."""

    latitude_deg: float
    longitude_deg: float
    height_m: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is not on Earth."""
        if not (-90.0 <= self.latitude_deg <= 90.0 and -180.0 <= self.longitude_deg <= 180.0):
            msg = f"latitude {self.latitude_deg}, longitude {self.longitude_deg} is not a place"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class LocalPlane:
    """Metres east and north of an origin."""

    origin: Place

    def _metres_per_degree(self) -> tuple[float, float]:
        latitude = math.radians(self.origin.latitude_deg)
        w2 = 1.0 - _WGS84_E2 * math.sin(latitude) ** 2
        north = _WGS84_A_M * (1.0 - _WGS84_E2) / w2**1.5
        east = _WGS84_A_M / math.sqrt(w2) * math.cos(latitude)
        return math.radians(east), math.radians(north)

    def to_metres(self, place: Place) -> tuple[float, float]:
        """Return (east, north) of ``place``."""
        east, north = self._metres_per_degree()
        return (
            (place.longitude_deg - self.origin.longitude_deg) * east,
            (place.latitude_deg - self.origin.latitude_deg) * north,
        )

    def to_place(self, east_m: float, north_m: float, height_m: float = 0.0) -> Place:
        """Return the place ``east_m`` and ``north_m`` from the origin."""
        east, north = self._metres_per_degree()
        return Place(self.origin.latitude_deg + north_m / north, self.origin.longitude_deg + east_m / east, height_m)


def bearing_wrap(bearing_deg: float) -> float:
    """Return the same direction as 0 <= bearing < 360."""
    wrapped = math.fmod(bearing_deg, 360.0)
    if wrapped < 0.0:
        wrapped += 360.0
    return 0.0 if wrapped >= 360.0 else wrapped


def distance_m(here: Place, there: Place) -> float:
    """Return metres along the ground between two places of one borough."""
    return math.hypot(*LocalPlane(here).to_metres(there))


def inside(corners: Sequence[tuple[float, float]], place: Place) -> bool:
    """Return whether a place lies in a polygon of (latitude, longitude) corners in degrees; its edge may be either.

    A ray towards the east meets the edges of a polygon around its start an odd number of times. The polygon is taken
    as flat, which over a borough is exact to metres, and must not cross the 180th meridian.
    """
    found = False
    for (lat_a, lon_a), (lat_b, lon_b) in zip(corners, (*corners[1:], *corners[:1]), strict=True):
        crosses = (lat_a > place.latitude_deg) != (lat_b > place.latitude_deg)
        if crosses and place.longitude_deg < lon_a + (place.latitude_deg - lat_a) * (lon_b - lon_a) / (lat_b - lat_a):
            found = not found
    return found
