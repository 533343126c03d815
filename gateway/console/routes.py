"""Serves the console: its pages and their files. They hold no data; what they show comes from the API."""

from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import partial
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.console.policy import INDEX, STATIC, WATCH, content_security_policy

PAGES = {"/": INDEX, "/watch": WATCH}
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".svg": "image/svg+xml", ".css": "text/css"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served."""

    body: bytes
    media_type: str
    etag: str
    modified: str
    policy: str | None = None
    """A page's own content security policy; files have the one that everything has."""


def load_assets(root: Path = STATIC) -> dict[str, Asset]:
    """Read every file under ``root``: they are few, and nothing outside them can be asked for. Blocks."""
    return {str(path.relative_to(root)): _asset(path) for path in sorted(root.rglob("*")) if path.is_file()}


def console_routes(root: Path = STATIC, *, tiles_url: str | None = None) -> list[BaseRoute]:
    """Return the routes of the pages and files. Blocks: call it before the event loop runs, or in a thread.

    ``tiles_url`` is the configured map tile template: the room's page alone has a map.
    """
    assets = load_assets(root)
    routes: list[BaseRoute] = []
    for page, file in PAGES.items():
        asset = assets[str(file.relative_to(STATIC))]
        policy = content_security_policy(asset.body.decode(), tiles_url=tiles_url if file == INDEX else None)
        routes.append(Route(page, partial(_serve_one, asset=replace(asset, policy=policy)), methods=["GET"]))
    return [*routes, Route("/static/{path:path}", partial(_serve, assets=assets), methods=["GET"])]


async def _serve(request: Request, *, assets: dict[str, Asset]) -> Response:
    asset = assets.get(request.path_params["path"])
    if asset is None:
        return PlainTextResponse("There is no such file.", status_code=404)
    return await _serve_one(request, asset=asset)


async def _serve_one(request: Request, *, asset: Asset) -> Response:
    # "no-cache" asks each time whether the file is still the same, so that an upgrade shows at the next load.
    headers = {"ETag": asset.etag, "Last-Modified": asset.modified, "Cache-Control": "no-cache"}
    if asset.policy is not None:
        headers["Content-Security-Policy"] = asset.policy
    if asset.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(asset.body, media_type=asset.media_type, headers=headers)


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    media_type = _TYPES.get(path.suffix) or guess_type(path.name)[0] or "application/octet-stream"
    return Asset(body, media_type, f'"{sha256(body).hexdigest()[:32]}"', formatdate(path.stat().st_mtime, usegmt=True))
