"""What stays in clear for ever names nobody: keys of details whose text is ours, and what is said under each."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway
from gateway.audit.events import IDENTIFIERS, PLAIN, SYSTEM, Action, AuditEvent
from gateway.audit.leaves import link
from kernel.ids import new_id

SAID = {
    "act": {"act.value", "one.asked.act.value"},
    "approval": {"known.id", "one.id", "None"},
    "before_ns": {"str(before_ns)"},
    "camera": {"camera", "camera.id", "camera.id if camera is not None else None", "test.camera_id"},
    "deployment": {"known.id"},
    "digest": {"entry.digest", "sha256"},
    "end": {"iso(end_ns)", "iso_or_none(end_ns)", "iso_or_none(wanted.end_ns)"},
    "error": {"error.code", "it.over", "it.over or error.code"},
    "factor": {"'all'", "'passkey'", "'recovery'", "'totp'"},
    "file": {"found['file']"},
    "head": {"report.head"},
    "hold": {"held.id", "hold_id"},
    "how": {"'+'.join(who.methods)", "'idle'", "'provider'", "came.method", "method.value"},
    "outlet": {"row.id", "viewer.outlet"},
    "permission": {"permission.value"},
    "role": {"came.admitted.role", "role.value", "row.role", "trouble.role", "user.role", "wish.role"},
    "root": {"edge.root.hex()"},
    "size": {"edge.size"},
    "start": {"iso(start_ns)", "iso_or_none(start_ns)", "iso_or_none(wanted.start_ns)"},
    "stream": {
        "'reference view'",
        "row.stream",
        "stream.value",
        "viewer.stream.value",
        "viewer.shown.value",
        "answer.stream.value",
    },
    "urn": {"before.urn", "camera.description.identity.urn", "change.urn", "known.urn"},
    "user": {"person", "row.user_id", "who.user_id"},
}
"""Whoever says something else under one of these keys looks first whether it is a name, an address, or typed."""


def said() -> Iterator[tuple[str, str]]:
    """Return every key of :data:`PLAIN` that the gateway's sources give a value, with the value's source."""
    for path in Path(gateway.__file__).parent.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if "AuditEvent" in source or "room.note(" in source:
            for node in ast.walk(ast.parse(source)):
                for key, value in _pairs(node):
                    if key in PLAIN:
                        yield key, ast.unparse(value)


def _pairs(node: ast.AST) -> Iterator[tuple[object, ast.expr]]:
    match node:
        case ast.Dict(keys=keys, values=values):
            named = zip(keys, values, strict=True)
            yield from ((key.value, value) for key, value in named if isinstance(key, ast.Constant))
        case ast.Call(func=ast.Name(id="_note" | "dict") | ast.Attribute(attr="note"), keywords=keywords):
            yield from ((one.arg, one.value) for one in keywords)
        case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=key))], value=value):
            yield key, value


def test_every_plain_detail_is_ours_or_an_identifier() -> None:
    """Each was looked at: no name, no address, nothing that somebody typed."""
    unseen = {(key, value) for key, value in said() if value not in SAID.get(key, set())}
    assert unseen == set()


def test_the_walk_finds_what_there_is() -> None:
    """A list that nobody uses proves nothing: every key of it is met."""
    assert {key for key, _ in said()} == SAID.keys()


@pytest.mark.parametrize("key", sorted(IDENTIFIERS))
def test_a_name_under_an_identifiers_key_is_personal(key: str) -> None:
    """Whatever a route puts there: what is no identifier can be erased, and is no part of the leaf."""
    known = new_id()
    for value, plain in ((known, True), ("Ann Smith", False), ("root", False), (known.upper(), False)):
        event = AuditEvent(action=Action.GLASS_BROKEN, actor=SYSTEM, details={key: value})
        row, personal = link(event, at_ns=1, seq=1)
        assert (json.loads(row.details).get(key) == value) is plain
        assert (value in personal.body) is not plain
