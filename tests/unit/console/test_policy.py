"""What the browser is allowed to do with the console."""

import asyncio
import base64
import hashlib
from functools import partial

import httpx
import pytest
from starlette.applications import Starlette

from gateway.console.policy import INDEX, content_security_policy, script_hashes, security_headers
from gateway.console.routes import PAGES, READS_CODES, WITH_MAP, console_routes

TILES = "https://tiles.example.org/{z}/{x}/{y}.png"


def test_only_the_import_map_stands_inline() -> None:
    """index.html has one inline script, and its hash is in the policy."""
    hashes = script_hashes(INDEX.read_text())
    assert len(hashes) == 1
    assert hashes[0] in content_security_policy(INDEX.read_text())


def test_the_hash_is_that_of_the_exact_text() -> None:
    """Browsers hash what stands between the tags, line breaks included."""
    body = '\n{"imports": {}}\n'
    digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
    page = f'<script type="importmap">{body}</script><script src="/x.js"></script>'
    assert script_hashes(page) == (f"'sha256-{digest}'",)


def test_nothing_inline_and_nothing_foreign() -> None:
    """Without configured tiles the policy names no other host and allows nothing unsafe."""
    policy = content_security_policy(INDEX.read_text())
    assert "unsafe" not in policy
    assert "http" not in policy


def test_the_tile_server_may_send_images() -> None:
    """A configured tile server is allowed for images alone, its sub-domains too."""
    policy = content_security_policy("", tiles_url="https://{s}.tiles.example.org/{z}/{x}/{y}.png")
    assert [part.split()[0] for part in policy.split("; ") if "example.org" in part] == ["img-src"]
    assert "https://*.tiles.example.org" in policy


def test_a_tile_address_of_our_own_needs_no_host() -> None:
    """Tiles that this server gives out are 'self'."""
    assert "example" not in content_security_policy("", tiles_url="/tiles/{z}/{x}/{y}.png")


def test_the_page_cannot_be_framed() -> None:
    """A steering page in somebody's frame would be a trap."""
    headers = security_headers(INDEX.read_text())
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_no_style_or_handler_stands_in_the_page() -> None:
    """The strict policy would refuse them."""
    text = INDEX.read_text()
    assert " style=" not in text
    assert " onclick=" not in text


@pytest.mark.parametrize("page", PAGES)
async def test_each_page_is_served_with_its_own_policy(page: str) -> None:
    """The policy of a page allows its own import map and no other inline script."""
    text = PAGES[page].read_text()
    tiles_url = TILES if page in WITH_MAP else None
    assert await policy_of(page) == content_security_policy(text, tiles_url=tiles_url, wasm=page in READS_CODES)
    assert script_hashes(text)[0] in await policy_of(page)


async def test_a_page_without_a_map_loads_no_tiles() -> None:
    """Only pages with a map may fetch from the tile server."""
    assert "example.org" in await policy_of("/")
    assert "example.org" in await policy_of("/field")
    assert "example.org" not in await policy_of("/watch")


async def test_only_the_page_that_reads_codes_compiles_anything() -> None:
    """The field's page may compile WebAssembly, and evaluate no text; the others neither."""
    assert "'wasm-unsafe-eval'" in await policy_of("/field")
    assert "'unsafe-eval'" not in await policy_of("/field")
    for page in ("/", "/watch"):
        assert "unsafe" not in await policy_of(page)


async def test_another_tile_server_is_another_version_of_the_fields_page() -> None:
    """Each phone then fetches the page anew, with the policy that lets those tiles in."""
    assert await shell_with(None) == await shell_with(None)
    assert await shell_with(None) != await shell_with(TILES)


async def shell_with(tiles_url: str | None) -> str:
    """Return what the field's service worker is told to keep."""
    app = Starlette(routes=await asyncio.to_thread(partial(console_routes, tiles_url=tiles_url)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        return (await client.get("/field/shell.js")).text


async def policy_of(page: str) -> str:
    """Return the policy that a page is served with."""
    app = Starlette(routes=await asyncio.to_thread(partial(console_routes, tiles_url=TILES)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        return (await client.get(page)).headers["content-security-policy"]
