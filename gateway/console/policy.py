"""What the browser may do with the console: its content security policy and the headers beside it.

Scripts come from this server alone. The one inline script of a page is its import map (browsers take an import map from
nowhere else), and it is allowed by the hash of what the page holds, so that the two cannot drift apart.
"""

import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

STATIC = Path(__file__).parent / "static"
INDEX = STATIC / "index.html"
WATCH = STATIC / "watch.html"
FIELD = STATIC / "field.html"

_INLINE = re.compile(r"<script(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL)


def script_hashes(page_html: str) -> tuple[str, ...]:
    """Return the CSP source of each inline script in a page: ``'sha256-…'`` of its exact text."""
    bodies = (match["body"] for match in _INLINE.finditer(page_html) if "src=" not in match["attributes"])
    return tuple(f"'sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}'" for body in bodies)


def content_security_policy(page_html: str, *, tiles_url: str | None = None, wasm: bool = False) -> str:
    """Return the policy for the page; ``tiles_url`` is the configured map tile template, if there is one.

    ``wasm``: it may compile WebAssembly, from this server: what reads codes is that. It gives ``eval`` to nobody.

    ``blob:`` in media and images: hls.js plays through a MediaSource, and stills are shown from memory.
    """
    images = ["'self'", "data:", "blob:"]
    if tiles_url is not None:
        parts = urlsplit(tiles_url)
        if parts.scheme in ("http", "https") and parts.netloc:
            images.append(f"{parts.scheme}://{parts.netloc.replace('{s}', '*')}")
    directives = {
        "default-src": ("'none'",),
        "object-src": ("'none'",),
        "script-src": ("'self'", *(["'wasm-unsafe-eval'"] if wasm else []), *script_hashes(page_html)),
        "style-src": ("'self'",),
        "img-src": tuple(images),
        "media-src": ("'self'", "blob:"),
        "connect-src": ("'self'",),
        "font-src": ("'self'",),
        "manifest-src": ("'self'",),
        "base-uri": ("'none'",),
        "form-action": ("'self'",),
        "frame-ancestors": ("'none'",),
    }
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


def security_headers(page_html: str, *, tiles_url: str | None = None) -> dict[str, str]:
    """Return every header that pages and files are served with, besides caching."""
    return {
        "Content-Security-Policy": content_security_policy(page_html, tiles_url=tiles_url),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": permissions_policy(),
    }


def permissions_policy(*, field: bool = False) -> str:
    """Return what of the device a page may use. ``field``: the phone's camera reads codes, its place is the unit's."""
    own = "(self)" if field else "()"
    return (
        f"camera={own}, microphone=(), geolocation={own}, gamepad=(self), autoplay=(self), "
        "fullscreen=(self), screen-wake-lock=(self), picture-in-picture=(), display-capture=()"
    )
