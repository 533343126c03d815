"""The audit of the made-up borough, as the console asks for it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.console_state import FakeBorough, borough_of

MARY, ERASED = "u1", "0123456789abcdef"
GONE = "c0ffee" + "0" * 26
"""A camera that was removed; its number was 77."""
SHARE = "5a" * 16
PAGE = 24


def record_routes(api: str) -> list[Route]:
    """Return the routes under the address of the API."""
    return [
        Route(api + "/audit", _audit),
        Route(api + "/audit/people", _audit_people),
        Route(api + "/audit/seen", _seen),
        Route(api + "/audit/seen.csv", _seen),
        Route(api + "/audit/verify", _verify, methods=["POST"]),
    ]


def _entry(borough: FakeBorough, action: str, **facts: Any) -> dict[str, Any]:
    camera = borough.cameras[0]["id"] if borough.cameras else ""
    usual: dict[str, Any] = {
        "seq": 1,
        "at": borough.iso(-60),
        "actor": "Mary Okafor",
        "actor_id": MARY,
        "action": action,
        "outcome": "done",
        "subject": camera,
        "address": "10.0.4.17",
        "rule": "role:operator",
        "reference": "",
        "start": None,
        "end": None,
        "details": {},
        "erased": False,
    }
    return usual | facts


def _record(borough: FakeBorough) -> list[dict[str, Any]]:
    """Return the record, newest first: a page and one entry more."""
    kinds = ["steer.started", "view.started", "playback.started", "access.sign-in", "export.clip"]
    shared = {"title": "Robbery, High Street", "organisation": "", "stills": False}
    told = [
        _entry(
            borough,
            "grant.added",
            subject="9" * 32,
            details={"user": ERASED, "role": "viewer", "reason": "Night shift"},
            reference="INC-2026-0007",
        ),
        _entry(borough, "share.made", subject=SHARE, details=shared),
        _entry(borough, "camera.removed", subject=GONE, details={"number": 77, "name": "Old Pier", "urn": "urn:x"}),
    ]
    return told + [_entry(borough, kinds[n % len(kinds)], at=borough.iso(-37.0 * n)) for n in range(PAGE - 2)]


async def _audit(request: Request) -> Response:
    borough = borough_of(request)
    asked = dict(request.query_params)
    borough.record_asked.append(asked)
    found = [
        entry
        for entry in _record(borough)
        if asked.get("action", entry["action"]) == entry["action"]
        and asked.get("actor_id", entry["actor_id"]) == entry["actor_id"]
        and asked.get("start", "") <= entry["at"] < asked.get("end", "9")
    ]
    first = int(asked.get("before", 0))
    more = first + PAGE if len(found) > first + PAGE else None
    return JSONResponse({"entries": found[first : first + PAGE], "before": more})


async def _verify(_request: Request) -> Response:
    return JSONResponse({"sound": True, "entries": 4218, "head": "", "problems": []})


async def _seen(request: Request) -> Response:
    """Answer with two pages: a view that goes on, and one of somebody whose name was erased; of others nothing."""
    borough = borough_of(request)
    borough.audit_asked.append(dict(request.query_params))
    if request.url.path.endswith(".csv"):
        return Response("from,to\r\n", media_type="text/csv")
    if request.query_params.get("person") == MARY:
        return JSONResponse({"entries": [], "before": None})
    further = "before" in request.query_params
    entry = _entry(
        borough,
        "view.ended" if further else "view.started",
        subject=request.query_params.get("camera", borough.cameras[0]["id"]),
        start=borough.iso(-600),
        end=borough.iso(-60) if further else None,
        actor_id=ERASED,
    )
    if further:
        entry |= {"actor": "", "address": "", "rule": f"share:{SHARE}", "erased": True}
    else:
        entry |= {"reference": "INC-2026-0007"}
    return JSONResponse({"entries": [entry], "before": None if further else "1.2"})


async def _audit_people(_request: Request) -> Response:
    return JSONResponse([{"id": MARY, "name": "Mary Okafor"}, {"id": ERASED, "name": ""}])
