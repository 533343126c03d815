"""Limits and no-look zones, as the gateway gives and takes them for the console."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.fakes.console_state import FakeBorough


async def bounds(request: Request) -> Response:
    """Answer what is kept, or keep what is put: every zone gets an identifier, and all is confirmed."""
    borough: FakeBorough = request.app.state.borough
    if request.method == "PUT":
        given = await request.json()
        for number, zone in enumerate(given["zones"], 1):
            zone["id"] = zone.get("id") or f"{number:032x}"
        borough.bounds = {**given, "confirmed": True, "told": True}
    return JSONResponse(borough.bounds)
