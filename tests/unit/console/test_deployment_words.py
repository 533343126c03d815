"""Every step in the life of a deployment, every tick and all that is due has its words in the console."""

import dataclasses
import enum
import json
import typing
from types import NoneType, UnionType
from typing import Any

import pytest

from gateway.api.deployments import PAGE
from gateway.deployments.steps import NAMES, Found, Tick
from gateway.deployments.why import Why
from kernel.geography import Place
from ptz.bounds import Bounds
from tests.unit.console.test_audit_words import APP, read

KNOWN: dict[object, object] = {
    str: "x",
    int: 1_790_000_000_000_000_000,
    float: 1.5,
    bool: True,
    Place: Place(51.5, -0.1),
    Bounds: Bounds(),
}


def anything(kind: Any) -> Any:
    """Return something of a type that a step has: of a choice the first, of what may be absent nothing."""
    if kind in KNOWN:
        return KNOWN[kind]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(iter(kind))
    if typing.get_origin(kind) is tuple:
        return (anything(typing.get_args(kind)[0]),)
    assert typing.get_origin(kind) in (typing.Union, UnionType), kind
    assert NoneType in typing.get_args(kind)
    return None


def said_in(step: type[Any]) -> dict[str, Any]:
    """Return what a step of this type says, as its line has it."""
    hints = typing.get_type_hints(step)
    one = step(**{field.name: anything(hints[field.name]) for field in dataclasses.fields(step)})
    return dataclasses.asdict(one)


@pytest.mark.parametrize(("step", "name"), [*NAMES.items()], ids=[*NAMES.values()])
def test_every_step_has_its_words(step: type[Any], name: str) -> None:
    """What it did is said in words of its own, and what was said in it has no gaps."""
    line = json.dumps({"step": name, "said": said_in(step)})
    words = read(
        f"import {{lineWords}} from '{APP}/deployments-words.js';"
        f" process.stdout.write(JSON.stringify(lineWords({line})))"
    )
    assert isinstance(words, list)
    did, said = words
    assert did != name.replace("-", " ")
    assert "undefined" not in did + said
    assert "NaN" not in did + said


@pytest.mark.parametrize("table", ["DUE", "TICKS", "FOUND"])
def test_every_word_that_is_kept_has_its_meaning(table: str) -> None:
    """None is missing, and none is of something that is gone."""
    asked: dict[str, type[enum.StrEnum]] = {"DUE": Why, "TICKS": Tick, "FOUND": Found}
    said = read(f"import {{{table}}} from '{APP}/deployments-words.js'; process.stdout.write(JSON.stringify({table}))")
    assert isinstance(said, dict)
    assert set(said) == {one.value for one in asked[table]}


def test_lists_are_read_by_the_pages_that_the_gateway_gives() -> None:
    """A page that is full for the gateway is full for the phone and the room: they ask for what is older."""
    script = "import {PAGE} from './gateway/console/static/app/pages.js'; process.stdout.write(JSON.stringify(PAGE))"
    assert read(script) == PAGE
