"""The table in docs/security.md names tests that there are, and what it says of the console's sources is so."""

import ast
import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from gateway.api import create_api
from gateway.api.models import Taken
from gateway.api.problems import install

ROOT = Path(__file__).parents[3]
TABLE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
CONSOLE = ROOT / "gateway" / "console" / "static"
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
ROW = re.compile(r"^\| (?P<items>\d+\.\d+\.\d+[^|]*) \| (?P<level>[^|]+) \|[^|]+\| (?P<state>[^|]+) \|(?P<where>.*)\|$")
LEVELS = {"1", "2", "1\u20132"}
MET_WITHOUT_A_TEST = {
    "3.3.3", "3.4.4", "3.4.5", "3.7.1", "4.1.2", "5.4.2", "6.1.1", "6.2.10", "6.4.2", "7.1.1", "8.1.1", "8.3.1",
    "11.1.1, 11.1.2", "11.2.1", "13.1.1", "13.2.3", "14.1.1, 14.1.2", "14.3.2", "15.3.4", "16.1.1", "16.2.2", "16.2.3",
}  # fmt: skip
"""Rows about documents, about what is not there, or that point at another row."""


def rows() -> list[re.Match[str]]:
    """Return the rows of the table."""
    return [found for line in TABLE.splitlines() if (found := ROW.match(line))]


def sources() -> str:
    """Return the console's own JavaScript."""
    files = [path for path in CONSOLE.rglob("*.js") if "vendor" not in path.parts]
    assert len(files) > 10
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@pytest.mark.parametrize("named", sorted(set(NAMED.findall(TABLE))), ids="::".join)
def test_every_named_test_is_there(named: tuple[str, str]) -> None:
    """Its file, and its function in it."""
    path, name = named
    assert (ROOT / path).is_file()
    if name:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        functions = {one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in functions


def test_every_item_stands_once_and_has_a_level() -> None:
    """Of level 1 or 2; nothing is told twice in different words."""
    assert len(rows()) > 100
    items = [item.strip() for row in rows() for item in row["items"].split(",")]
    assert len(items) == len(set(items))
    assert {row["level"].strip() for row in rows()} <= LEVELS


def test_what_is_met_is_shown() -> None:
    """A row that says so names a test, but for those that are listed here."""
    unshown = {
        row["items"].strip() for row in rows() if row["state"].strip() == "met" and not NAMED.search(row["where"])
    }
    assert unshown == MET_WITHOUT_A_TEST


def test_the_console_makes_no_html_of_text() -> None:
    """Nothing that turns a text into elements, or runs it."""
    assert not re.findall(
        r"innerHTML\s*=[^=]|outerHTML\s*=|insertAdjacentHTML|unsafeHTML|document\.write|\beval\(", sources()
    )
    assert not re.findall(r"new Function\(", sources())


def test_windows_tell_each_other_nothing() -> None:
    """The one message there is goes to the field page's own worker; a page listens to its sockets alone."""
    sent = re.findall(r"(\S+)\.postMessage\(([^)]*)\)", sources())
    assert sent == [("kept.waiting?", '"take over"')]
    assert sources().count("postMessage") == len(sent)
    heard = {
        (path.relative_to(CONSOLE).as_posix(), on)
        for path in CONSOLE.rglob("*.js")
        if "vendor" not in path.parts
        for on in re.findall(r"(\S*)addEventListener\(\s*[\"'`]message", path.read_text(encoding="utf-8"))
    }
    assert heard == {("field/worker.js", "worker.")}
    assert set(re.findall(r"(\S+)\.onmessage(?:error)?\b", sources())) == {"socket"}
    assert not re.findall(r"BroadcastChannel|MessageChannel|SharedWorker|[\"'`]onmessage", sources())


def test_the_console_keeps_no_secret() -> None:
    """It stores tiles, a failed codec, the share that follows, an account being tied, a referral, what was seen."""
    stored = re.findall(r"(?:local|session)Storage\.setItem\(([^\n]+)\)", sources())
    assert len(stored) == 7
    assert not any(re.search(r"password|token|secret|code\b|cookie", one, re.IGNORECASE) for one in stored)
    assert "document.cookie" not in sources()


def test_field_phones_keep_three_shelves() -> None:
    """What waits, what was begun and what was last read: in one database; beside it who is still to be signed out."""
    made = re.findall(r"createObjectStore\((\S+?)[,)]", sources())
    assert sorted(made) == ['"drafts"', '"known"', '"outbox"', "SHELF"]
    assert len(re.findall(r"indexedDB\.open\(", sources())) == 2
    assert 'kept.empty("known")' in (CONSOLE / "field" / "work.js").read_text(encoding="utf-8")


def test_password_fields_are_masked_and_known_to_managers() -> None:
    """Each is of the type password and says to password managers what it holds; none keeps anybody from pasting."""
    fields = re.findall(r"<input[^>]*(?:name=\"password\"|type=\"password\")[^>]*>", sources())
    assert len(fields) >= 2
    assert all('type="password"' in field and "autocomplete=" in field for field in fields)
    shared = re.findall(r"passwordField\(\{ id: [^}]*\}\)", sources())
    assert len(shared) >= 4
    assert all(re.search(r"autocomplete: \"(?:current|new)-password\"", field) for field in shared)
    assert not re.findall(r"@paste|onpaste", sources())


def test_every_body_refuses_what_it_does_not_know() -> None:
    """A key that no model names is no way to set something."""

    def below(model: type[BaseModel]) -> set[type[BaseModel]]:
        return {model}.union(*(below(one) for one in model.__subclasses__()))

    assert callable(create_api), "with it every module of routes is there"
    bodies = below(Taken)
    assert len(bodies) >= 10
    assert {body.model_config.get("extra") for body in bodies} == {"forbid"}


async def test_an_unexpected_fault_tells_nothing_of_itself() -> None:
    """The answer is a problem in our words; the fault goes on to the log with its traceback."""
    app = FastAPI()
    install(app)

    @app.get("/fault")
    async def fault() -> None:
        msg = "hush: SELECT * FROM users"
        raise ZeroDivisionError(msg)

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.get("/fault")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert not any(word in answer.text for word in ("hush", "SELECT", "ZeroDivision", "Traceback", ".py"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        with pytest.raises(ZeroDivisionError):
            await client.get("/fault")
