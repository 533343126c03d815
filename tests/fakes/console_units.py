"""Deployable units as the fake gateway tells of them, and what becomes of them when they are told something."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.console_state import FakeBorough, borough_of

BUNDLE = {
    "certificate": "-----BEGIN CERTIFICATE-----\nunit\n-----END CERTIFICATE-----\n",
    "key": "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n",
    "authority": "-----BEGIN CERTIFICATE-----\nauthority\n-----END CERTIFICATE-----\n",
}
GB = 1_000_000_000
PROBLEMS = {
    "units-failed": (503, "units.off", "Units are not heard here.", "Name a broker in the settings (telemetry)."),
    "units-forbidden": (403, "access.forbidden", "You may not do this.", "Ask an administrator for the permission."),
}


def units(borough: FakeBorough) -> dict[str, dict[str, Any]]:
    """Return the units of a borough, by label: made at the first question, kept in ``borough.units``."""
    if borough.units is None:
        made = [] if borough.face == "units-none" else [_well(borough), _worn(borough), _lost(borough), _new(borough)]
        borough.units = {one["label"]: one for one in made}
    return borough.units


def _concern(kind: str, urgency: str, cause: str, cure: str) -> dict[str, Any]:
    return {"kind": kind, "urgency": urgency, "cause": cause, "cure": cure, "put_off": None}


def _unit(borough: FakeBorough, label: str, link: str, **said: Any) -> dict[str, Any]:
    return {
        "label": label,
        "link": link,
        "model": "WCCTV 4G Mini Dome",
        "serial": f"SN-{label}",
        "urn": f"urn:uuid:{label.lower()}",
        "firmware": "2.1.0",
        "note": "",
        "cameras": [],
        "heard": borough.iso(-9),
        "clock_offset_s": 0.1,
        "enrolled": borough.iso(-86_400 * 40),
        "retired": None,
        "states": [],
        "battery_hours": None,
        "concerns": [],
        "data": {"used_bytes": 0, "by_end_bytes": None, "budget_bytes": None, "exhausted": None},
        "certificate_ends": borough.iso(86_400 * 300),
        "certificates": [
            {
                "serial": f"{label.lower()}0badc0de",
                "issued": borough.iso(-86_400 * 40),
                "expires": borough.iso(86_400 * 300),
                "revoked": None,
            }
        ],
        "refusals": [],
        **said,
    }


def _states(borough: FakeBorough, *, percent: float, dbm: float, old_s: float = 9.0) -> list[dict[str, Any]]:
    values: dict[str, dict[str, Any]] = {
        "state/battery": {"percent": percent, "volts": 12.4, "charging": False},
        "state/supply": {"source": "battery"},
        "state/signal": {"rsrp_dbm": dbm, "rsrq_db": -11, "operator": "EE", "cell": "234-30-1-2", "technology": "LTE"},
        "state/position": {"latitude": 51.58712, "longitude": -0.10941, "accuracy_m": 4, "satellites": 9},
        "state/case": {"open": False},
        "state/temperature": {"celsius": 21.4},
        "state/address": {
            "host": "10.9.0.17",
            "http_port": 80,
            "rtsp_port": 554,
            "urn": "urn:uuid:d017",
            "serial": "SN-D017",
        },
        "state/data": {"sent_bytes": 3 * GB, "since": borough.iso(-86_400 * 20)},
    }
    return [
        {"kind": kind, "time": borough.iso(-old_s), "unit_time": borough.iso(-old_s), "values": said}
        for kind, said in values.items()
    ]


def _well(borough: FakeBorough) -> dict[str, Any]:
    return _unit(
        borough,
        "D001",
        "online",
        cameras=[borough.cameras[0]["id"]],
        states=_states(borough, percent=86, dbm=-84),
        battery_hours=71.0,
        data={"used_bytes": 3 * GB, "by_end_bytes": 8 * GB, "budget_bytes": 10 * GB, "exhausted": None},
    )


def _worn(borough: FakeBorough) -> dict[str, Any]:
    return _unit(
        borough,
        "D017",
        "online",
        cameras=[borough.cameras[1]["id"]],
        note="Solar panel at the next visit.",
        states=_states(borough, percent=14, dbm=-112),
        battery_hours=5.2,
        concerns=[
            _concern("battery", "today", "The battery of unit D017 lasts 5 h more.", "Change or charge it before."),
            _concern(
                "data-budget",
                "today",
                "As it goes now, the SIM of unit D017 will have sent its month's data within 2 days.",
                "Have it send its smaller stream, or raise its budget with whoever pays for the SIM.",
            ),
            _concern("signal", "soon", "The signal of unit D017 is poor: its pictures may stop.", "Turn its aerial."),
        ],
        data={
            "used_bytes": 9_300_000_000,
            "by_end_bytes": 13 * GB,
            "budget_bytes": 10 * GB,
            "exhausted": borough.iso(86_400 * 2),
        },
        refusals=[
            {"cause": "replayed", "label": "D017", "count": 3, "last": borough.iso(-600), "said": "number 17 again"},
            {"cause": "wrong-unit", "label": "D017", "count": 1, "last": borough.iso(-60), "said": "on D018"},
        ],
    )


def _lost(borough: FakeBorough) -> dict[str, Any]:
    return _unit(
        borough,
        "D009",
        "gone",
        cameras=[borough.cameras[2]["id"]],
        heard=borough.iso(-2820),
        concerns=[_concern("unit-link", "now", "Unit D009 is not heard.", "Look at its last position; go there.")],
        states=_states(borough, percent=52, dbm=-97, old_s=2820.0),
        data={"used_bytes": 2 * GB, "by_end_bytes": None, "budget_bytes": None, "exhausted": None},
    )


BARE: dict[str, Any] = {
    "certificates": [],
    "certificate_ends": None,
    "heard": None,
    "firmware": "",
    "clock_offset_s": None,
    "concerns": [
        _concern("certificate", "soon", "The unit has no certificate that is good: it cannot call in.", "Issue it one.")
    ],
}
"""Of a unit that has not called in yet."""


def _new(borough: FakeBorough) -> dict[str, Any]:
    return _unit(borough, "D033", "never", **BARE)


def _problem(status: int, code: str, title: str, cure: str) -> JSONResponse:
    body = {"type": code, "title": title, "detail": cure, "status": status}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


async def _list(request: Request) -> Response:
    borough = borough_of(request)
    if borough.face in PROBLEMS:
        return _problem(*PROBLEMS[borough.face])
    known = units(borough)
    if request.method == "POST":
        given = await request.json()
        if given["label"].lower() in {label.lower() for label in known}:
            return _problem(409, "database.conflict", "That label is another unit's.", "Choose another.")
        cameras = [given["camera"]] if given["camera"] else []
        said = {"model": given["model"], "note": given["note"], "cameras": cameras}
        known[given["label"]] = _unit(borough, given["label"], "never", **BARE, **said)
        return JSONResponse(known[given["label"]], status_code=201)
    strangers = [{"cause": "unknown-unit", "label": "D666", "count": 12, "last": borough.iso(-30), "said": ""}]
    return JSONResponse({"units": list(known.values()), "refusals": strangers if known else []})


async def _one(request: Request) -> Response:
    borough = borough_of(request)
    unit = units(borough)[request.path_params["label"]]
    if request.method == "DELETE":
        unit |= {"link": "retired", "retired": borough.iso(), "certificate_ends": None}
        for one in unit["certificates"]:
            one["revoked"] = one["revoked"] or borough.iso()
        return Response(status_code=204)
    if request.method == "PUT":
        given = await request.json()
        unit |= {"model": given["model"], "note": given["note"]}
    return JSONResponse(unit)


async def _certificate(request: Request) -> Response:
    borough = borough_of(request)
    unit = units(borough)[request.path_params["label"]]
    made = {
        "serial": f"{len(unit['certificates']):x}feedc0de",
        "issued": borough.iso(),
        "expires": borough.iso(86_400 * 397),
        "revoked": None,
    }
    unit["certificates"] = [*unit["certificates"], made]
    unit["certificate_ends"], unit["concerns"] = made["expires"], []
    return JSONResponse({"serial": made["serial"], "expires": made["expires"], **BUNDLE}, status_code=201)


async def _revoke(request: Request) -> Response:
    borough = borough_of(request)
    unit = units(borough)[request.path_params["label"]]
    for one in unit["certificates"]:
        if one["serial"] == request.path_params["serial"]:
            one["revoked"] = borough.iso()
    if all(one["revoked"] for one in unit["certificates"]):
        unit["certificate_ends"], unit["concerns"] = None, BARE["concerns"]
    return Response(status_code=204)


async def _command(request: Request) -> Response:
    borough = borough_of(request)
    unit, name = units(borough)[request.path_params["label"]], request.path_params["name"]
    body = await request.json() if await request.body() else {}
    borough.told_units.append((unit["label"], name, body))
    if name == "data-budget":
        unit["data"] = unit["data"] | {"budget_bytes": body["budget_bytes"]}
    over = name == "stream" and body["stream"] == "main" and unit["label"] == "D017"
    return JSONResponse(
        {"id": "1", "ok": not over, "error": "over its budget" if over else None, "time": borough.iso()}
    )


async def _trend(request: Request) -> Response:
    borough, kind = borough_of(request), request.query_params["kind"]
    values = {"battery": "percent", "signal": "rsrp_dbm", "temperature": "celsius", "data": "sent_bytes"}
    start = {"battery": 90.0, "signal": -84.0, "temperature": 18.0, "data": 2.0 * GB}[kind]
    step = {"battery": -0.1, "signal": -0.02, "temperature": 0.03, "data": 2_000_000.0}[kind]
    points = [
        {"time": borough.iso(60.0 * (minute - 720)), "values": {values[kind]: start + step * minute}}
        for minute in range(0, 720, 5)
    ]
    return JSONResponse(points)


async def _password(request: Request) -> Response:
    borough = borough_of(request)
    if request.method == "POST":
        borough.camera_password = borough.iso()
        said = {"other_accounts": [{"name": "service", "level": "Operator"}], "in_clear": True}
        return JSONResponse({"random_since": borough.camera_password, "under_way": False, **said})
    return JSONResponse({"random_since": borough.camera_password, "under_way": False})


async def _forget_camera(request: Request) -> Response:
    unit = units(borough_of(request))[request.path_params["label"]]
    unit |= {"urn": None, "serial": ""}
    return JSONResponse(unit)


async def _labels(request: Request) -> Response:
    borough_of(request).labels_printed.append(request.query_params.multi_items())
    return Response(b"%PDF-1.4\n", media_type="application/pdf")


def routes(api: str) -> list[Route]:
    """Return the routes of units."""
    one = api + "/units/{label}"
    return [
        Route(api + "/unit-labels.pdf", _labels),
        Route(api + "/units", _list, methods=["GET", "POST"]),
        Route(one, _one, methods=["GET", "PUT", "DELETE"]),
        Route(one + "/trend", _trend),
        Route(one + "/camera", _forget_camera, methods=["DELETE"]),
        Route(one + "/certificate", _certificate, methods=["POST"]),
        Route(one + "/certificates/{serial}", _revoke, methods=["DELETE"]),
        Route(one + "/{name}", _command, methods=["POST"]),
        Route(api + "/cameras/{camera}/password", _password, methods=["GET", "POST"]),
    ]
