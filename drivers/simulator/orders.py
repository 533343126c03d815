"""Orders to a running borough as JSON, one object a line: turn a fault, tell the van to flee, ask for the truth.

    {"number": 1, "fault": "freeze_picture=on"}
    {"number": 1, "input": "input-1", "on": true}
    {"number": 1, "cover": true}
    {"number": 1, "reboot": true}
    {"van": "flee", "route": "north"}      {"van": "return"}
    {"query": "truth", "number": 1}        {"query": "requests", "number": 1}      {"query": "van"}

Deployable units are named by their labels. One that is deployed is taken by van to the kerb nearest to a place; one
that stands is there already, at exactly that place.

    {"units_broker": {"url": "mqtts://127.0.0.1:8883", "certificates": "/a/folder"}}
    {"unit": "D001", "fault": "stolen=on"}      {"unit": "D001", "reboot": true}
    {"unit": "D001", "deploy": {"latitude": 51.5465, "longitude": -0.0201, "bearing_deg": 90, "mains": true}}
    {"unit": "D001", "stand": {"latitude": 51.5465, "longitude": -0.0201, "bearing_deg": 90, "mains": true}}
    {"query": "unit", "unit": "D001"}

Queries are answered with one line; other orders only where they fail, with {"error": ...}. They are obeyed in order.
"""

import json
from collections.abc import Callable
from typing import Any

from drivers.simulator.borough import Borough
from drivers.simulator.town.town import PLANE
from drivers.simulator.units.broker import Broker
from drivers.simulator.units.movement import Post, kerbside, post_at
from drivers.simulator.units.unit import Unit
from kernel.errors import SightlineError
from kernel.geography import Place, bearing_wrap


class _OrderError(ValueError):
    """The order cannot be understood."""


def obey(borough: Borough, line: str) -> dict[str, Any] | None:
    """Do what one line says; return the answer, or None where there is nothing to say."""
    try:
        order = json.loads(line)
        if not isinstance(order, dict):
            msg = "An order is a JSON object, one a line."
            raise _OrderError(msg)
        return _obey(borough, order)
    except (ValueError, SightlineError) as error:
        return {"error": str(error)}


def _obey(borough: Borough, order: dict[str, Any]) -> dict[str, Any] | None:
    if "query" in order:
        return _answer(borough, order)
    if "van" in order:
        if order["van"] not in {"flee", "return"}:
            msg = f"The van can flee or return, not {order['van']!r}."
            raise _OrderError(msg)
        borough.van.flee(str(order.get("route", "north")) if order["van"] == "flee" else None)
        return None
    if "units_broker" in order:
        borough.callers.call_in(Broker.model_validate(order["units_broker"]))
        return None
    if "unit" in order:
        _obey_unit(borough.unit(str(order["unit"])), order)
        return None
    number = _number(order)
    if "fault" in order:
        borough.device(number).faults.set(str(order["fault"]))
    elif "input" in order:
        borough.set_input(number, str(order["input"]), on=bool(order.get("on", True)))
    elif "cover" in order:
        borough.cover(number, on=bool(order["cover"]))
    elif "reboot" in order:
        borough.device(number).reboot()
    else:
        msg = f"There is no such order: {', '.join(map(str, order)) or 'nothing'}."
        raise _OrderError(msg)
    return None


def _obey_unit(unit: Unit, order: dict[str, Any]) -> None:
    if "fault" in order:
        unit.faults.set(str(order["fault"]))
    elif "reboot" in order:
        unit.reboot()
    elif "deploy" in order:
        unit.deploy(_post(order["deploy"], kerbside))
    elif "stand" in order:
        unit.stand(_post(order["stand"], post_at))
    else:
        msg = "A unit can be told a fault, to reboot, where to be deployed, or where it stands."
        raise _OrderError(msg)


def _post(told: object, made: Callable[..., Post]) -> Post:
    try:
        assert isinstance(told, dict)
        place = Place(float(told["latitude"]), float(told["longitude"]))
        bearing_deg = bearing_wrap(float(told["bearing_deg"]))
    except (AssertionError, KeyError, TypeError) as error:
        msg = "A post needs latitude, longitude and bearing_deg, in degrees."
        raise _OrderError(msg) from error
    return made(PLANE.to_metres(place), bearing_deg, mains=bool(told.get("mains", True)))


def _truth_of_unit(unit: Unit) -> dict[str, Any]:
    place = unit.place
    return {
        "query": "unit",
        "unit": unit.label,
        "latitude": place.latitude_deg,
        "longitude": place.longitude_deg,
        "height_m": place.height_m,
        "bearing_deg": unit.bearing_deg,
        "carried": unit.carried,
        "street": unit.post.street,
        "power": unit.power.value,
        "linked": unit.linked,
        "energy_wh": unit.energy_wh,
        "clock_error_s": unit.clock_error_s,
        "boot": unit.boot,
        "host": unit.host,
        "http_port": unit.http_port,
        "rtsp_port": unit.rtsp_port,
        "urn": unit.urn,
        "serial": unit.serial,
        "sent_bytes": unit.sent_bytes,
    }


def _number(order: dict[str, Any]) -> int:
    number = order.get("number")
    if not isinstance(number, int):
        msg = 'An order to a camera needs its number, as in {"number": 1, ...}.'
        raise _OrderError(msg)
    return number


def _answer(borough: Borough, order: dict[str, Any]) -> dict[str, Any]:
    query = order["query"]
    if query == "van":
        van = borough.van.where(borough.devices[0].clock.wall_ns())
        return {"query": query, "east_m": van.x, "north_m": van.y, "fleeing": borough.van.fleeing}
    if query == "unit":
        return _truth_of_unit(borough.unit(str(order.get("unit"))))
    device = borough.device(_number(order))
    if query == "requests":
        return {
            "query": query,
            "number": device.number,
            "requests": [
                {"name": one.name, "monotonic_ns": one.monotonic_ns, "arguments": one.arguments}
                for one in device.requests
            ],
        }
    if query != "truth":
        msg = f"There is no query {query!r}. Ask for truth, requests, unit or van."
        raise _OrderError(msg)
    assert device.head is not None
    aim, position = device.head.aim(), device.head.position()
    return {
        "query": query,
        "number": device.number,
        "wall_ns": device.clock.wall_ns(),
        "aim": {
            "pan_deg": aim.pan_deg,
            "tilt_deg": aim.tilt_deg,
            "zoom": aim.zoom,
            "hfov_deg": aim.hfov_deg,
            "moving": aim.moving,
            "bearing_deg": bearing_wrap(device.mount.bearing_deg + aim.pan_deg),
        },
        "position": {"pan": position.pan, "tilt": position.tilt, "zoom": position.zoom},
    }
