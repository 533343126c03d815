"""Players on other sites' pages: CORS (the Fetch standard) for WHEP alone, for the origins that the settings name.

They sign in with a token. No answer allows credentials, so a browser never lends such a page our cookie.
"""

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.fleet.rpc import SDP_MEDIA_TYPE
from gateway.fleet.shown import CONVERTED_HEADER, STREAM_HEADER

PATHS = "/whep/"
MAX_AGE_S = 600
_ALLOWED = {
    "Access-Control-Allow-Methods": "DELETE, GET, HEAD, OPTIONS, PATCH, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": str(MAX_AGE_S),
    "Accept-Post": SDP_MEDIA_TYPE,
}
_EXPOSED = f"Accept-Patch, Accept-Post, ETag, Link, Location, Retry-After, {STREAM_HEADER}, {CONVERTED_HEADER}"


class PlayerOrigins:
    """Answers preflights, and lets the named origins read what the rest answers, refusals too."""

    def __init__(self, app: ASGIApp, *, origins: Sequence[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not self._origins or not scope["path"].startswith(PATHS):
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        origin = asked.get("origin", "").lower()

        async def shared(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if origin in self._origins:
                    headers["Access-Control-Allow-Origin"] = origin
                    headers["Access-Control-Expose-Headers"] = _EXPOSED
            await send(message)

        if scope["method"] == "OPTIONS" and origin in self._origins and "access-control-request-method" in asked:
            # Browsers send no token with it (draft-ietf-wish-whep-03 section 4.8.1), and it tells nothing of cameras.
            await Response(status_code=200, headers=_ALLOWED)(scope, receive, shared)
            return
        await self._app(scope, receive, shared)
