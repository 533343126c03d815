"""The made-up borough that the console's fake gateway tells of: six cameras on a few streets."""

import math
from typing import Any

LATITUDE = 51.4875
LONGITUDE = -0.0350
_METRES = 111_320.0

_POSTS = (
    # number, name, street, group, east m, north m, bearing, hfov, steerable
    (1, "Market Square", "High Street", "Town centre", 0, 10, 205, 46, True),
    (2, "High Street east", "High Street", "Town centre", 130, 8, 262, 58, True),
    (3, "Station approach", "Station Road", "Transport", -140, 95, 150, 38, True),
    (4, "Mill Lane car park", "Mill Lane", "Car parks", 95, -120, 320, 52, True),
    (5, "Bus interchange", "Station Road", "Transport", -150, -15, 80, 60, False),
    (12, "Canal towpath north of the old bridge", "Canal Side", "Parks", 30, 140, 190, 44, True),
)

PRESETS = (
    {"token": "p1", "name": "Taxi rank"},
    {"token": "p2", "name": "Bank corner"},
    {"token": "p3", "name": "Market stalls"},
    {"token": "p4", "name": "Bus stop C"},
)

HEAD = {
    "axes": ["pan", "tilt", "zoom"],
    "presets_only": False,
    "pan_deg": [-180, 180],
    "tilt_deg": [-90, 20],
    "hfov_deg": [60, 2.5],
    "fov_relative": True,
    "presets_max": 64,
    "home": True,
    "auxiliary": ["tt:Wiper|On", "tt:Wiper|Off"],
}
_MAIN = {"codec": "h264", "width": 1280, "height": 720, "frame_rate": 12.5}
_SUB = {"codec": "h264", "width": 640, "height": 360, "frame_rate": 12.5}
_REMARK = "The camera says that it has no event PullPoint; it has one, and it is used."


def place(east_m: float, north_m: float) -> dict[str, float]:
    """Return a point of the borough as the API writes it."""
    return {
        "latitude": LATITUDE + north_m / _METRES,
        "longitude": LONGITUDE + east_m / (_METRES * math.cos(math.radians(LATITUDE))),
        "height_m": 7.0,
    }


def cameras() -> list[dict[str, Any]]:
    """Return the cameras as ``GET /api/v1/cameras`` gives them, all in good order."""
    return [
        {
            "id": f"{number:032x}",
            "number": number,
            "name": name,
            "street": street,
            "group": group,
            "place": place(east, north),
            "bearing_deg": float(bearing),
            "streams": {"main": dict(_MAIN), "sub": dict(_SUB)},
            "head": dict(HEAD) if steerable else None,
            "identity": {"manufacturer": "Sightline", "model": "Simulated Dome", "firmware": "1.0", "serial": "S1"},
            "clock_offset_s": 0.12 if number != 3 else 74.0,
            "remarks": [{"text": _REMARK, "quirk": "hides_pullpoint"}] if number == 1 else [],
            "state": {
                "live": "live",
                "problem": None,
                "recording": {"main": True, "sub": True, "cause": None},
                "last_frame": None,
                "viewers": 3 if number == 2 else 1,
                "head": {
                    "pan_deg": 10.0,
                    "bearing_deg": float(bearing),
                    "hfov_deg": float(hfov),
                    "tilt_deg": -9.0,
                    "moving": False,
                }
                if steerable
                else None,
                "stick": None,
            },
        }
        for number, name, street, group, east, north, bearing, hfov, steerable in _POSTS
    ]


def probe() -> dict[str, Any]:
    """Return a first look at a device, as ``POST /api/v1/cameras/probe`` gives it."""
    picture = (
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 640 360'%3E%3Crect width='640' "
        "height='360' fill='%2386a8bf'/%3E%3Cpath d='M0 170h640v190H0z' fill='%23575d60'/%3E%3C/svg%3E"
    )
    return {
        "identity": {"manufacturer": "Sightline", "model": "Simulated Dome", "firmware": "1.0.0", "serial": "SIM-0007"},
        "views": [{"streams": {"main": dict(_MAIN), "sub": dict(_SUB)}, "head": dict(HEAD)}],
        "clock_offset_s": 1.3,
        "authentication": "HTTP digest",
        "events": True,
        "enrolled": False,
        "remarks": [
            {"text": _REMARK, "quirk": "hides_pullpoint"},
            {"text": "It offers SHA-256 for sign-in and accepts MD5 only.", "quirk": "sha256_broken"},
        ],
        "snapshot": picture,
    }


def _feature(kind: str, geometry: str, coordinates: Any, name: str = "") -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"kind": kind, "name": name},
        "geometry": {"type": geometry, "coordinates": coordinates},
    }


def _at(east_m: float, north_m: float) -> list[float]:
    point = place(east_m, north_m)
    return [point["longitude"], point["latitude"]]


def ground() -> dict[str, Any]:
    """Return streets, blocks of buildings and a park."""
    streets = [
        ("High Street", [(-320, 0), (320, 0)]),
        ("Station Road", [(-145, -260), (-145, 260)]),
        ("Mill Lane", [(90, -260), (90, 260)]),
        ("Canal Side", [(-320, 135), (320, 135)]),
        ("Weaver Street", [(-320, -125), (320, -125)]),
    ]
    features = [_feature("street", "LineString", [_at(*point) for point in line], name) for name, line in streets]
    for west, east in ((-300, -160), (-130, 75), (105, 300)):
        for south, north in ((-110, -15), (15, 120), (150, 240)):
            if (west, south) == (-130, 150):
                ring: list[tuple[float, float]] = [
                    (west, south),
                    (east, south),
                    (east, north),
                    (west, north),
                    (west, south),
                ]
                features.append(_feature("park", "Polygon", [[_at(*point) for point in ring]]))
                continue
            step = (east - west) / 3
            for n in range(3):
                left, right = west + n * step + 3, west + (n + 1) * step - 3
                ring = [(left, south), (right, south), (right, north), (left, north), (left, south)]
                features.append(_feature("building", "Polygon", [[_at(*point) for point in ring]]))
    return {"type": "FeatureCollection", "features": features}
