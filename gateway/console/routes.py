"""Serves the console: its pages and their files. They hold no data; what they show comes from the API."""

from dataclasses import dataclass, field, replace
from email.utils import formatdate
from functools import partial
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.console.policy import FIELD, INDEX, STATIC, WATCH, content_security_policy, permissions_policy
from gateway.console.shell import shell_script

PAGES = {"/": INDEX, "/watch": WATCH, "/field": FIELD}
WITH_MAP = frozenset({"/", "/field"})
READS_CODES = frozenset({"/field"})
WORKER = "field/worker.js"
READER = "vendor/zxing-wasm/"
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".css": "text/css",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served."""

    body: bytes
    media_type: str
    etag: str
    modified: str
    headers: dict[str, str] = field(default_factory=dict)
    """A page's own policies; files have those that everything has."""


def load_assets(root: Path = STATIC) -> dict[str, Asset]:
    """Read every file under ``root``: they are few, and nothing outside them can be asked for. Blocks."""
    return {str(path.relative_to(root)): _asset(path) for path in sorted(root.rglob("*")) if path.is_file()}


def console_routes(root: Path = STATIC, *, tiles_url: str | None = None) -> list[BaseRoute]:
    """Return the routes of the pages and files. Blocks: call it before the event loop runs, or in a thread.

    ``tiles_url`` is the configured map tile template: the pages in ``WITH_MAP`` have a map. Those in
    ``READS_CODES`` have a reader of printed codes, which is WebAssembly.
    """
    assets = load_assets(root)
    routes: list[BaseRoute] = []
    headers: dict[str, dict[str, str]] = {}
    for page, file in PAGES.items():
        asset = assets[str(file.relative_to(STATIC))]
        headers[page] = {
            "Content-Security-Policy": content_security_policy(
                asset.body.decode(), tiles_url=tiles_url if page in WITH_MAP else None, wasm=page in READS_CODES
            ),
            "Permissions-Policy": permissions_policy(field=file == FIELD),
        }
        routes.append(_route(page, replace(asset, headers=headers[page])))
    return [
        *routes,
        *_offline(assets, headers["/field"]),
        Route("/static/{path:path}", partial(_serve, assets=assets), methods=["GET"]),
    ]


def _offline(assets: dict[str, Asset], headers: dict[str, str]) -> list[BaseRoute]:
    """Return what the field's page needs to work without a network: its service worker, and what that keeps."""
    worker = assets[WORKER]
    bodies = {path: asset.body for path, asset in assets.items()}
    shell = shell_script("/field", assets[FIELD.name].body.decode(), bodies, headers=headers, later=READER)
    return [
        # A script may look after its own folder alone, and the page stands above it.
        _route("/field/worker.js", replace(worker, headers={"Service-Worker-Allowed": "/field"})),
        _route("/field/shell.js", replace(worker, body=shell, etag=_etag(shell))),
    ]


def _route(path: str, asset: Asset) -> Route:
    return Route(path, partial(_serve_one, asset=asset), methods=["GET"])


async def _serve(request: Request, *, assets: dict[str, Asset]) -> Response:
    asset = assets.get(request.path_params["path"])
    if asset is None:
        return PlainTextResponse("There is no such file.", status_code=404)
    return await _serve_one(request, asset=asset)


async def _serve_one(request: Request, *, asset: Asset) -> Response:
    # "no-cache" asks each time whether the file is still the same, so that an upgrade shows at the next load.
    headers = {"ETag": asset.etag, "Last-Modified": asset.modified, "Cache-Control": "no-cache"} | asset.headers
    if asset.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(asset.body, media_type=asset.media_type, headers=headers)


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    media_type = _TYPES.get(path.suffix) or guess_type(path.name)[0] or "application/octet-stream"
    return Asset(body, media_type, _etag(body), formatdate(path.stat().st_mtime, usegmt=True))


def _etag(body: bytes) -> str:
    return f'"{sha256(body).hexdigest()[:32]}"'
