"""What a page loads, read out of its files, so that a phone can keep all of it."""

import json

import pytest

from gateway.console.policy import FIELD, STATIC
from gateway.console.routes import load_assets
from gateway.console.shell import shell_of, shell_script

PAGE = (
    '<link rel="stylesheet" href="/static/a.css"><script type="importmap">{"imports": {"lit": "/static/v/lit.js", '
    '"lit/": "/static/v/"}}</script><script type="module" src="/static/p/main.js"></script>'
)
ASSETS = {
    "a.css": b"",
    "v/lit.js": b'export*from"./deep/x.js";',
    "v/deep/x.js": b"",
    "v/more.js": b"",
    "p/main.js": b'import "./one.js";\nimport { a } from "lit";\nimport b from "lit/more.js";\n',
    "p/one.js": b'/** @typedef {import("./never.js").T} T */\n// import "./nor.js"\nimport { c } from "../q/two.js";\n',
    "q/two.js": b"",
    "stray.js": b"",
}


def test_everything_that_is_imported_is_kept_and_nothing_else() -> None:
    """Style sheets, scripts, their imports by map, prefix and path; types in comments are not loaded, nor strays."""
    assert shell_of(PAGE, ASSETS) == tuple(sorted(set(ASSETS) - {"stray.js"}))


def test_a_file_that_is_not_there_is_an_error() -> None:
    """A page that could not be kept whole does not start."""
    with pytest.raises(LookupError, match=r"q/two\.js"):
        shell_of(PAGE, {name: body for name, body in ASSETS.items() if name != "q/two.js"})


def test_the_version_changes_with_any_file() -> None:
    """A changed file, or page, is another version; the same files are the same."""
    script = shell_script("/field", PAGE, ASSETS)
    assert script == shell_script("/field", PAGE, ASSETS)
    assert script != shell_script("/field", PAGE, {**ASSETS, "q/two.js": b"1"})
    assert script != shell_script("/field", f"{PAGE} ", ASSETS)


def test_the_version_changes_with_the_pages_headers() -> None:
    """A phone that keeps the page keeps its policy: other map tiles are let in by another version alone."""
    policy = "Content-Security-Policy"
    script = shell_script("/field", PAGE, ASSETS, headers={policy: "img-src 'self'"})
    assert script == shell_script("/field", PAGE, ASSETS, headers={policy: "img-src 'self'"})
    assert script != shell_script("/field", PAGE, ASSETS, headers={policy: "img-src 'self' https://tiles.example"})


def test_what_is_loaded_where_it_is_needed_is_named_apart() -> None:
    """It is not kept at once, and another version of it is another version of the page."""
    script = shell_script("/field", PAGE, ASSETS, later="stray")
    told = json.loads(script.decode().removeprefix("self.SHELL = ").removesuffix(";\n"))
    assert told["later"] == ["/static/stray.js"]
    assert "/static/stray.js" not in told["files"]
    assert script != shell_script("/field", PAGE, {**ASSETS, "stray.js": b"1"}, later="stray")


def test_the_field_page_keeps_itself_first() -> None:
    """Its address, its manifest and its modules are kept; the room's page is not."""
    assets = {path: asset.body for path, asset in load_assets(STATIC).items()}
    script = shell_script("/field", FIELD.read_text(), assets).decode()
    told = json.loads(script.removeprefix("self.SHELL = ").removesuffix(";\n"))
    assert told["files"][0] == "/field"
    assert {"/static/field/manifest.webmanifest", "/static/field/outbox.js", "/static/app/live.js"} <= set(
        told["files"]
    )
    assert "/static/app/main.js" not in told["files"]
