"""What the console's fake gateway says of acts that take two people, of the glass and of holds: nothing is there."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


async def _none(_request: Request) -> Response:
    return JSONResponse([])


async def _holds(_request: Request) -> Response:
    return JSONResponse({"holds": [], "away": 0})


async def _glass(_request: Request) -> Response:
    return JSONResponse({"broken": [], "minutes_max": 60, "reason_min": 10})


def routes(api: str, camera: str) -> list[Route]:
    """Return the routes below ``api``, and those of one camera below ``camera``."""
    return [
        Route(f"{api}/approvals", _none),
        Route(f"{api}/approvals/acts", _none),
        Route(f"{api}/glass", _none),
        Route(f"{api}/glass/unacknowledged", _none),
        Route(f"{api}/glass/own", _glass),
        Route(f"{api}/holds", _holds),
        Route(f"{api}/session/accounts", _none),
        Route(f"{camera}/holds", _none),
    ]
