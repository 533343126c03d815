"""Every error of the rooms below, as problem details on the wire (RFC 9457)."""

import structlog
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from gateway.fleet.rpc import PROBLEM_MEDIA_TYPE, Problem, wire
from gateway.live.errors import LiveError
from kernel.errors import SightlineError

_log = structlog.get_logger(__name__)

_STATUS = {
    "host.no-camera": 404,
    "host.no-head": 404,
    "camera.unreachable": 504,
    "camera.address-refused": 422,
    "camera.authentication": 422,
    "camera.not-onvif": 422,
    "camera.no-media": 422,
    "camera.clock": 422,
    "camera.busy": 503,
    "steering.busy": 503,
    "steering.silent": 504,
    "recording.bad-range": 422,
    "recording.nothing": 404,
    "recording.nothing-recorded": 404,
    "recording.unknown-file": 404,
    "recording.unknown-hold": 404,
    "recording.mixed-codec": 409,
    "recording.unreadable": 500,
    "recording.busy": 503,
    "host.not-seen": 503,
}
_STATUS_OF_ROOM = {"camera": 502, "steering": 409, "recording": 500, "host": 400}


class HostRequestError(SightlineError):
    """Root of what this room itself refuses."""

    code = "host.request"


class NoSuchCameraError(HostRequestError):
    """This host does not own the camera."""

    code = "host.no-camera"


class NotSeenError(HostRequestError):
    """No picture of the camera has been looked at yet, or none comes."""

    code = "host.not-seen"


class NoHeadError(HostRequestError):
    """The camera cannot be steered."""

    code = "host.no-head"


def problem_of(error: SightlineError) -> Problem:
    """Return an error as it travels."""
    if isinstance(error, LiveError):
        status, retry_after_s = error.status, error.retry_after_s
    else:
        status = _STATUS.get(error.code) or _STATUS_OF_ROOM.get(error.code.partition(".")[0], 500)
        retry_after_s = 2 if status == 503 else None
    return Problem(type=error.code, title=error.message, cure=error.cure, status=status, retry_after_s=retry_after_s)


def answer(problem: Problem) -> Response:
    """Return a problem as an HTTP response."""
    headers = {"retry-after": str(problem.retry_after_s)} if problem.retry_after_s is not None else {}
    return Response(wire(problem), problem.status, headers, media_type=PROBLEM_MEDIA_TYPE)


async def refused(request: Request, error: Exception) -> Response:
    """Answer an expected failure, and log it once."""
    assert isinstance(error, SightlineError)
    problem = problem_of(error)
    if problem.status >= 500:
        _log.warning("rpc.failed", path=request.url.path, error=error.code)
    return answer(problem)


async def malformed(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette's signature
    """Answer a body that is not what the route takes. Values are left out: they may be secret."""
    assert isinstance(error, ValidationError)
    places = ", ".join(".".join(map(str, item["loc"])) or "body" for item in error.errors(include_url=False))
    return answer(
        Problem(
            type="request.malformed",
            title=f"The request is malformed at: {places}.",
            cure="See gateway.fleet.rpc for what this route takes.",
            status=422,
        )
    )
