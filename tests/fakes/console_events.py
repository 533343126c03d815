"""Cameras that tell their events over MQTT, as the fake gateway has it: numbers 1 and 2 can, the others cannot."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.console_state import FakeBorough, borough_of

OURS = "mqtts://broker.example:8884"
OTHER = {"address": "mqtt://nvr.example:1883", "prefix": "site", "status": "Offline"}
ABLE = 2


def _able(borough: FakeBorough, camera: str) -> bool:
    return any(one["id"] == camera and one["number"] <= ABLE for one in borough.cameras)


async def _asked(request: Request) -> Response:
    borough, camera = borough_of(request), request.path_params["camera"]
    if not _able(borough, camera):
        body = {"type": "camera.fault", "title": "The camera refused.", "detail": "It said why.", "status": 502}
        return JSONResponse(body, status_code=502, media_type="application/problem+json")
    prefix = f"sightline/v1/devices/{camera}"
    return JSONResponse({"address": OURS, "prefix": prefix, "brokers": [*borough.event_brokers, OTHER]})


async def _told(request: Request) -> Response:
    borough, camera = borough_of(request), request.path_params["camera"]
    ours = {"address": OURS, "prefix": f"sightline/v1/devices/{camera}", "status": "Connected"}
    borough.event_brokers = [ours] if request.method == "PUT" else []
    return Response(status_code=204)


def routes(api: str) -> list[Route]:
    """Return the routes of a camera's event brokers."""
    one = api + "/cameras/{camera}"
    return [
        Route(one + "/event-brokers", _asked),
        Route(one + "/event-broker", _told, methods=["PUT", "DELETE"]),
    ]
