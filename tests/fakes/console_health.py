"""Health as the console's fake gateway tells it: needs by urgency, a camera's check-up, trends of a unit, a month."""

import io
import math
from typing import Any

from PIL import Image
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.console_state import FakeBorough, borough_of

_AHEAD = (
    "Its clock is 74 s ahead, and so is what it writes into its pictures. "
    "The times that we keep are put right, to 0.1 s."
)
_NEEDS: tuple[tuple[int | None, str | None, str, str, float, str, str], ...] = (
    # number (none: a unit without a camera), unit, kind, urgency, hours ago, cause, cure
    (3, None, "no-picture", "now", 0.7, "The camera does not answer.", "Check its power and its network cable."),
    (5, None, "picture", "now", 2.1, "It looks another way than it should.", "Turn it back, or confirm its new view."),
    (12, "D017", "battery", "today", 1.0, "The battery of unit D017 lasts 9 h more.", "Change or charge it before."),
    (
        4,
        None,
        "picture",
        "today",
        30.0,
        "The picture is blurred.",
        "Focus it, clean its dome, or wait for fog to lift.",
    ),
    (None, "D033", "certificate", "today", 3.0, "The certificate of unit D033 ends in 5 days.", "Issue a new one."),
    (3, None, "clock", "today", 50.0, _AHEAD, "Set its time server, or its clock."),
    (12, "D017", "certificate", "soon", 200.0, "The certificate of unit D017 ends in 24 days.", "Issue a new one."),
    (5, None, "certificate", "soon", 20.0, "Its own certificate ends in 12 days.", "Give the camera a new one."),
    (
        12,
        "D017",
        "data-budget",
        "soon",
        5.0,
        "As it goes now, the SIM of unit D017 will have sent its month's data within 6 days.",
        "Have it send its smaller stream.",
    ),
    (2, None, "firmware", "soon", 90.0, "Its firmware is 2.9; another of its model has 2.10.", "Update it next time."),
)
_ERRANDS = (
    (
        12,
        "d1",
        "Fly-tipping in Mill Lane",
        "alarm",
        "now",
        0.1,
        "Unit D017 has left its place.",
        "See where it is and what its camera shows, and acknowledge it.",
    ),
    (
        None,
        "d2",
        "Motorbikes in the park",
        "review",
        "today",
        70.0,
        "The review of unit D021 is overdue.",
        "Review it: is it still needed?",
    ),
)
_BROKER = (
    "The certificate that the units' broker shows ended 2 h ago: no unit can call in.",
    "Have the broker read its files again (systemctl reload mosquitto).",
)
_DOWN = ("Its camera host does not answer.", "It is restarted by itself; the panel Hosts says why.")


def needs(borough: FakeBorough) -> list[dict[str, Any]]:
    """Return what needs a person."""
    cameras = {camera["number"]: camera for camera in borough.cameras}
    rows = _NEEDS if borough.face.startswith("health") and borough.face != "health-none" else ()
    if borough.face == "health-host":
        rows = (*((number, None, "no-picture", "now", 0.1, *_DOWN) for number in cameras), *rows[2:3])
    told: list[dict[str, Any]] = [
        {
            "camera": cameras[number]["id"] if number is not None else None,
            "number": number,
            "name": cameras[number]["name"] if number is not None else "",
            "unit": unit,
            "deployment": None,
            "kind": kind,
            "urgency": urgency,
            "cause": cause,
            "since": borough.iso(-hours * 3600),
            "cure": cure,
            "put_off": borough.put_off.get(f"{unit or cameras[number]['id']} {kind}"),
        }
        for number, unit, kind, urgency, hours, cause, cure in rows
    ]
    if borough.face == "health-deployments":
        told = [_errand(borough, cameras, *row) for row in _ERRANDS] + told
    if borough.face == "health-broker":
        told.append(_of_broker(borough))
    return sorted(told, key=lambda one: ("now", "today", "soon").index(one["urgency"]))


def _of_broker(borough: FakeBorough) -> dict[str, Any]:
    cause, cure = _BROKER
    nobody = dict.fromkeys(("camera", "number", "unit", "deployment", "put_off"))
    said = {"kind": "certificate", "urgency": "now", "cause": cause, "cure": cure, "since": borough.iso(-7200)}
    return {**nobody, "name": "", **said}


def _errand(borough: FakeBorough, cameras: dict[int, Any], number: int | None, *said: Any) -> dict[str, Any]:
    id_, title, kind, urgency, hours, cause, cure = said
    return {
        "camera": cameras[number]["id"] if number is not None else None,
        "number": number,
        "name": cameras[number]["name"] if number is not None else "",
        "unit": None,
        "deployment": {"id": id_, "title": title},
        "kind": kind,
        "urgency": urgency,
        "cause": cause,
        "since": borough.iso(-hours * 3600),
        "cure": cure,
        "put_off": None,
    }


async def _health(request: Request) -> Response:
    borough = borough_of(request)
    if borough.face == "health-failed":
        body = {"type": "network", "title": "The gateway is being restarted.", "detail": "Try again.", "status": 503}
        return JSONResponse(body, status_code=503, media_type="application/problem+json")
    return JSONResponse({"looked": borough.iso(-12), "needs": needs(borough)})


async def _put_off(request: Request) -> Response:
    borough = borough_of(request)
    key = f"{request.path_params['whose']} {request.path_params['kind']}"
    if request.method == "DELETE":
        borough.put_off.pop(key, None)
    else:
        given = await request.json()
        borough.put_off[key] = {"by": "mary", "at": borough.iso(), "until": given["until"], "reason": given["reason"]}
    return JSONResponse(needs(borough))


async def _checkup(request: Request) -> Response:
    borough = borough_of(request)
    (camera,) = [one for one in borough.cameras if one["id"] == request.path_params["camera"]]
    mine = [one for one in needs(borough) if one["camera"] == camera["id"]]
    faults = {"picture": "moved" if camera["number"] == 5 else "blurred"}
    unit = {
        "label": "D017",
        "missed": False,
        "heard": borough.iso(-40),
        "battery_h": 9.2,
        "disk_free_share": 0.63,
        "disk_fault": False,
        "certificate_ends": borough.iso(24 * 86_400),
    }
    return JSONResponse(
        {
            "camera": camera["id"],
            "looked": borough.iso(-12),
            "missed": True,
            "live": camera["number"] != 3,
            "last_picture": borough.iso(-2520 if camera["number"] == 3 else -1),
            "recording": camera["number"] != 3,
            "recording_cause": "no pictures come from the camera" if camera["number"] == 3 else "",
            "picture_looked": None if camera["number"] == 3 else borough.iso(-31),
            "picture": next((faults["picture"] for one in mine if one["kind"] == "picture"), None),
            "reference": borough.references.get(camera["id"]),
            "head": camera["head"] is not None,
            "clock_offset_s": 74.0 if camera["number"] == 3 else 0.2,
            "clock_off_s": 0.12,
            "manufacturer": "Sightline",
            "model": "Simulated Dome",
            "firmware": "2.9" if camera["number"] == 2 else "2.10",
            "newest_firmware": "2.10",
            "certificate_ends": borough.iso(12 * 86_400) if camera["number"] == 5 else None,
            "unit": unit if camera["number"] == 12 else None,
            "needs": mine,
        }
    )


async def _trend(request: Request) -> Response:
    borough = borough_of(request)
    kind, week = request.query_params["kind"], request.query_params["start"] < borough.iso(-2 * 86_400)
    points = []
    for back in range(1440 * (7 if week else 1), 0, -10):
        if 400 < back < 520:
            continue  # it was away
        hours = (1440 - back) / 60
        told: dict[str, dict[str, Any]] = {
            "battery": {"percent": round(62 - 2.1 * hours) % 100, "volts": 12.1, "charging": False},
            "signal": {"rsrp_dbm": round(-101 + 7 * math.sin(hours) - (back % 7)), "rsrq_db": -11},
            "temperature": {"celsius": round(6 + 5 * math.sin(hours / 4), 1)},
            "data": {"sent_bytes": round((200 + hours * 21) * 1e6), "since": "2026-11-01T00:00:00Z"},
        }
        points.append({"time": borough.iso(-60.0 * back), "values": told[kind]})
    return JSONResponse(points)


async def _availability(request: Request) -> Response:
    borough = borough_of(request)
    month = request.query_params["month"]
    whole = 30 * 86_400.0
    lost: list[dict[str, float]] = [{}, {"network": 410.0}, {"camera": 21_000.0, "network": 900.0}, {}, {"host": 31.0}]
    rows = []
    for camera, gone in zip(borough.cameras, lost, strict=False):
        total = sum(gone.values())
        rows.append(
            {
                "camera": camera["id"],
                "number": camera["number"],
                "name": camera["name"],
                "removed": None,
                "availability": (whole - total) / whole,
                "recorded_s": whole - total,
                "lost_s": gone,
                "withheld_s": 7200.0 if camera["number"] == 4 else 0.0,
                "off_s": 5400.0 if camera["number"] == 5 else 0.0,
                "unknown_s": 0.0,
            }
        )
    past = {
        "camera": "gone",
        "number": 214,
        "name": "Old Town Hall, west door",
        "removed": f"{month}-01T14:20:00.000Z",
    }
    rows.append(
        {
            **past,
            "availability": 0.9991,
            "recorded_s": 51_550.0,
            "lost_s": {"network": 50.0},
            "withheld_s": 0.0,
            "off_s": 0.0,
            "unknown_s": 0.0,
        }
    )
    unreached = []
    if len(borough.cameras) > 5:
        away = borough.cameras[5]
        unreached = [{"camera": away["id"], "number": away["number"], "name": away["name"], "removed": None}]
    told = {"month": month, "start": f"{month}-01T00:00:00.000Z", "end": borough.iso(), "cameras": rows}
    return JSONResponse(told | {"unreached": unreached})


async def _days(request: Request) -> Response:
    borough = borough_of(request)
    if borough.face == "health-new":
        return JSONResponse([])
    found: list[dict[str, Any]] = []
    for back in range(int(request.query_params["count"]), -1, -1):
        if 40 < back < 46:
            continue  # nothing was told of those
        lost = {} if back % 9 else {"network": 600.0 * (back % 4), "host": 120.0}
        gone = sum(lost.values())
        over, off = back > 0, 7200.0 if back == 1 else 0.0
        found.append(
            {
                "day": borough.iso(-86_400.0 * back)[:10],
                "availability": (86_400 - off - gone) / (86_400 - off) if over else None,
                "recorded_s": 86_400 - off - gone if over else None,
                "lost_s": lost if over else None,
                "withheld_s": 0.0 if over else None,
                "off_s": off if over else None,
                "unknown_s": 0.0 if over else None,
                "clock_offset_s": round(-0.4 + 0.02 * (90 - back), 2),
            }
        )
    return JSONResponse(found)


async def _table(request: Request) -> Response:
    return Response(f"number,name\n1,{request.query_params['month']}\n", media_type="text/csv")


async def _reference(request: Request) -> Response:
    borough, camera = borough_of(request), request.path_params["camera"]
    if request.method == "DELETE":
        borough.references.pop(camera, None)
        return Response(status_code=204)
    if request.method == "PUT":
        borough.references[camera] = borough.iso()
    return JSONResponse({"taken": borough.references.get(camera)})


async def _reference_picture(_: Request) -> Response:
    told = io.BytesIO()
    Image.linear_gradient("L").resize((160, 90)).save(told, "PNG")
    return Response(told.getvalue(), media_type="image/png")


def health_routes() -> list[Route]:
    """Return the routes."""
    view = "/api/v1/cameras/{camera}/reference-view"
    return [
        Route("/api/v1/health", _health),
        Route("/api/v1/health/availability", _availability),
        Route("/api/v1/health/availability.csv", _table),
        Route("/api/v1/cameras/{whose}/needs/{kind}/put-off", _put_off, methods=["PUT", "DELETE"]),
        Route("/api/v1/units/{whose}/needs/{kind}/put-off", _put_off, methods=["PUT", "DELETE"]),
        Route("/api/v1/cameras/{camera}/health", _checkup),
        Route("/api/v1/cameras/{camera}/health/days", _days),
        Route("/api/v1/units/{label}/trend", _trend),
        Route(view, _reference, methods=["GET", "PUT", "DELETE"]),
        Route(f"{view}/picture", _reference_picture),
    ]
