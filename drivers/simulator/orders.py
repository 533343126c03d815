"""Orders to a running borough as JSON, one object a line: turn a fault, tell the van to flee, ask for the truth.

    {"number": 1, "fault": "freeze_picture=on"}
    {"number": 1, "input": "input-1", "on": true}
    {"number": 1, "cover": true}
    {"number": 1, "reboot": true}
    {"van": "flee", "route": "north"}      {"van": "return"}
    {"query": "truth", "number": 1}        {"query": "requests", "number": 1}      {"query": "van"}

Queries are answered with one line; other orders only where they fail, with {"error": ...}. They are obeyed in order.
"""

import json
from typing import Any

from drivers.simulator.borough import Borough
from kernel.errors import SightlineError
from kernel.geography import bearing_wrap


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
        msg = f"There is no query {query!r}. Ask for truth, requests or van."
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
