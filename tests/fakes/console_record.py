"""The audit of the made-up borough, as the console asks for it."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.console_state import borough_of


def record_routes(api: str) -> list[Route]:
    """Return the routes under the address of the API."""
    return [
        Route(api + "/audit", _audit),
        Route(api + "/audit/people", _audit_people),
        Route(api + "/audit/seen", _seen),
        Route(api + "/audit/seen.csv", _seen),
        Route(api + "/audit/verify", _audit, methods=["POST"]),
    ]


async def _audit(request: Request) -> Response:
    borough = borough_of(request)
    if request.method == "POST":
        return JSONResponse({"sound": True, "entries": 4218, "head": "", "problems": []})
    kinds = ["steer.started", "view.started", "playback.started", "access.sign-in", "export.clip", "camera.enrolled"]
    camera = borough.cameras[0]["id"] if borough.cameras else None
    events = [
        {
            "at": borough.iso(-37.0 * n),
            "actor": "mary",
            "action": kind,
            "outcome": "done",
            "subject": camera,
            "address": "10.0.4.17",
            "actor_id": "u1",
            "rule": "role:operator",
            "reference": "",
            "start": None,
            "end": None,
            "erased": False,
        }
        for n, kind in enumerate(kinds * 4)
    ]
    return JSONResponse({"entries": events, "before": None})


async def _seen(request: Request) -> Response:
    """Answer with two pages: a view that goes on, and one of somebody whose name was erased."""
    borough = borough_of(request)
    borough.audit_asked.append(dict(request.query_params))
    if request.url.path.endswith(".csv"):
        return Response("from,to\r\n", media_type="text/csv")
    further = "before" in request.query_params
    entry = {
        "seq": 1 if further else 2,
        "at": borough.iso(-60),
        "actor": "" if further else "Mary Okafor",
        "actor_id": "0123456789abcdef",
        "action": "view.ended" if further else "view.started",
        "outcome": "done",
        "subject": borough.cameras[0]["id"],
        "address": "" if further else "10.0.4.17",
        "rule": "role:operator",
        "reference": "" if further else "INC-2026-0007",
        "start": borough.iso(-600),
        "end": borough.iso(-60) if further else None,
        "erased": further,
    }
    return JSONResponse({"entries": [entry], "before": None if further else "1.2"})


async def _audit_people(_request: Request) -> Response:
    return JSONResponse([{"id": "u1", "name": "Mary Okafor"}, {"id": "0123456789abcdef", "name": ""}])
