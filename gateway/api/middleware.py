"""Around every request: a limit on bodies, headers that browsers obey, one log line."""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.problems import TOO_LARGE, response
from kernel.clock import NS_PER_MS, Clock

log = structlog.get_logger()

CERTIFICATE = "sightline.certificate"
"""Key of the scope: SHA-256 (hex) of the client certificate that the proxy in front has verified."""


class BodyLimit:
    """Refuses bodies that are too large, by what they say and by what they turn out to be.

    ``larger``: what may be larger at paths that match a pattern as a whole.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, larger: Mapping[str, int] = MappingProxyType({})) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._larger = [(re.compile(pattern), size) for pattern, size in larger.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "0")
        fits = (size for pattern, size in self._larger if pattern.fullmatch(scope["path"]))
        max_bytes = next(fits, self._max_bytes)
        if not said.isdigit() or int(said) > max_bytes:
            await self._refuse(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > max_bytes:
                # The one exception that the framework lets pass while it reads a body.
                raise HTTPException(413, headers={"Connection": "close"})
            return message

        await self._app(scope, counted, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        await response(TOO_LARGE, headers={"Connection": "close"})(scope, receive, send)


class SecurityHeaders:
    """Adds the headers that every answer carries. Data is never stored; a route that says otherwise keeps its word."""

    def __init__(self, app: ASGIApp, *, headers: Mapping[str, str], secure: bool) -> None:
        self._app = app
        self._headers = dict(headers)
        if secure:
            self._headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, dressed)


class AccessLog:
    """One event per request: never its query, body, cookies or authorization."""

    def __init__(self, app: ASGIApp, *, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        began_ns = self._clock.monotonic_ns()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            client = scope.get("client")
            identity = scope.get("state", {}).get("identity")
            level = log.debug if scope["path"].startswith("/static/") or scope["path"] == "/healthz" else log.info
            level(
                "http.request" if scope["type"] == "http" else "http.socket",
                method=scope.get("method", "GET"),
                path=scope["path"],
                status=status,
                ms=round((self._clock.monotonic_ns() - began_ns) / NS_PER_MS, 1),
                address=client[0] if client else "",
                user=identity.shown if identity is not None else None,
            )


class CertificateFromProxy:
    """Takes a verified client certificate's fingerprint from a proxy in front, and from nobody else.

    uvicorn does not tell an application which certificate a client showed. The proxy that ends TLS does, in a header;
    it is believed only where the connection itself comes from the proxy, and everybody else's is taken out.
    """

    def __init__(self, app: ASGIApp, *, header: str | None, proxies: Collection[str]) -> None:
        self._app = app
        self._header = header
        self._proxies = frozenset(proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._header is not None and scope["type"] in {"http", "websocket"}:
            headers = MutableHeaders(scope=scope)
            shown = headers.get(self._header)
            if shown is not None:
                del headers[self._header]
                if scope["client"] is not None and scope["client"][0] in self._proxies:
                    scope[CERTIFICATE] = shown.replace(":", "").strip().lower()
        await self._app(scope, receive, send)
