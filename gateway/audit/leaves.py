"""From what happened to a leaf of the log, and back to what is shown.

A leaf is the canonical JSON of an entry. What is personal in it stands there as a commitment only,
SHA-256(salt || canonical JSON of the personal part), so that salt and personal part, kept apart, can be erased and the
leaf stays what it was. The salt keeps anybody from trying names against the commitment.

Canonical JSON: keys sorted, no blanks, UTF-8, only strings, integers within 53 bits, booleans and null, keys in ASCII:
what RFC 8785 makes of the same value.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields

from gateway.audit import tree
from gateway.audit.events import IDENTIFIERS, PLAIN, SEEING, Action, AuditEvent, Detail, Outcome
from gateway.db.audit import AuditRow, PersonalRow, StoredEntry
from kernel.clock import NS_PER_S
from kernel.ids import is_id

SALT_BYTES = 16
SAFE_INTEGER = 2**53 - 1
DETAIL_MAX = 2000
"""Longest text of one detail."""


def canonical(value: Mapping[str, object]) -> str:
    """Return the one JSON form of a flat object."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def commitment(salt: bytes, personal: str) -> bytes:
    """Return what stands for a personal part in its leaf."""
    return hashlib.sha256(salt + personal.encode()).digest()


def leaf_of(row: AuditRow) -> bytes:
    """Return the hash of a row's leaf.

    Raises:
        TypeError, ValueError: a value is of a kind that was never written.
    """
    entry = {
        "seq": _integer(row.seq),
        "at_ns": str(_integer(row.at_ns)),  # beyond 2**53, where other implementations lose digits
        "action": _text(row.action),
        "outcome": _text(row.outcome),
        "actor_id": _text(row.actor_id),
        "subject": _text(row.subject),
        "rule": _text(row.rule),
        "span": _text(row.span),
        "from_ns": None if row.from_ns is None else str(_integer(row.from_ns)),
        "to_ns": None if row.to_ns is None else str(_integer(row.to_ns)),
        "details": _text(row.details),
        "commitment": row.commitment.hex(),
    }
    return tree.leaf_hash(canonical(entry).encode())


def _integer(value: object) -> int:
    if type(value) is not int:
        raise TypeError(value)
    return value


def _text(value: object) -> str:
    if type(value) is not str:
        raise TypeError(value)
    return value


def link(event: AuditEvent, *, at_ns: int, seq: int) -> tuple[AuditRow, PersonalRow]:
    """Return the rows of an event at its place in the log. Long texts are cut to what the table takes."""
    plain: dict[str, Detail] = {}
    typed: dict[str, Detail] = {}
    for name, value in event.details.items():
        key = _clean(name, 64)
        if isinstance(value, str):
            (plain if _ours(key, value) else typed)[key] = _clean(value, DETAIL_MAX)
        elif isinstance(value, int) and abs(value) > SAFE_INTEGER:
            plain[key] = str(value)
        else:
            plain[key] = value
    personal = canonical(
        {
            "actor": _clean(event.actor.name, 120),
            "address": _clean(event.actor.address, 64),
            "reference": _clean(event.reference or event.actor.reference, 120),
            # An object in an object: its text, so that the whole stays flat.
            "details": canonical(typed),
        }
    )
    salt = secrets.token_bytes(SALT_BYTES)
    from_ns, to_ns = event.from_ns, event.to_ns
    if from_ns is None and to_ns is None and event.action in SEEING:
        from_ns, to_ns = at_ns, at_ns
    row = AuditRow(
        seq=seq,
        at_ns=at_ns,
        action=event.action.value,
        outcome=event.outcome.value,
        actor_id=_clean(event.actor.id, 64),
        subject=_clean(event.subject, 64),
        rule=_clean(event.rule or event.actor.rule, 80),
        span=_clean(event.span, 64),
        from_ns=from_ns,
        to_ns=to_ns,
        span_class=span_class(event.action.value, event.outcome.value, from_ns, to_ns),
        details=canonical(plain),
        commitment=commitment(salt, personal),
        leaf=b"",
    )
    finished = {field.name: getattr(row, field.name) for field in fields(row)} | {"leaf": leaf_of(row)}
    return AuditRow(**finished), PersonalRow(seq=seq, at_ns=at_ns, salt=salt, body=personal)


def _ours(key: str, text: str) -> bool:
    """Return whether a text may stay for ever: nobody typed it, and it names no person."""
    return key in PLAIN and (key not in IDENTIFIERS or is_id(text))


def _clean(text: str, longest: int) -> str:
    """Cut a text, and replace what neither JSON nor a database takes: half surrogates and NUL."""
    return text[:longest].encode("utf-8", "replace").decode().replace("\0", "\ufffd")


_SEEING = frozenset(action.value for action in SEEING)


def span_class(action: str, outcome: str, from_ns: int | None, to_ns: int | None) -> int | None:
    """Return the class of length, N for less than 2**N seconds, of a span in which somebody saw pictures.

    ``None`` for what is no such span or has not ended. Questions about time look through the classes one by one: in
    each they know how far back a span can have begun (gateway.db.seen).
    """
    if action not in _SEEING or outcome == Outcome.REFUSED or from_ns is None or to_ns is None:
        return None
    return (max(0, to_ns - from_ns) // NS_PER_S).bit_length()


def opens(row: AuditRow) -> bool:
    """Return whether something lasting begins with this row."""
    return bool(row.span) and row.to_ns is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry as it is shown: the personal part is back in its place, or known to be erased."""

    seq: int
    at_ns: int
    action: str
    outcome: str
    actor_id: str
    actor: str
    address: str
    subject: str
    rule: str
    reference: str
    span: str
    from_ns: int | None
    to_ns: int | None
    details: str
    """Canonical JSON object."""
    leaf: bytes
    erased: bool
    """Name, address, reference and what was typed are no more."""

    @property
    def action_known(self) -> Action | None:
        """Return the action, or ``None`` where a later version wrote one that we do not know."""
        return Action(self.action) if self.action in set(Action) else None


def shown(stored: StoredEntry) -> Entry:
    """Return an entry as it is shown."""
    row, body = stored.row, stored.personal
    personal: dict[str, str] = json.loads(body) if body is not None else {}
    details = row.details
    if personal.get("details", "{}") != "{}":
        details = canonical(json.loads(row.details) | json.loads(personal["details"]))
    return Entry(
        seq=row.seq,
        at_ns=row.at_ns,
        action=row.action,
        outcome=row.outcome,
        actor_id=row.actor_id,
        actor=personal.get("actor", ""),
        address=personal.get("address", ""),
        subject=row.subject,
        rule=row.rule,
        reference=personal.get("reference", ""),
        span=row.span,
        from_ns=row.from_ns,
        to_ns=row.to_ns,
        details=details,
        leaf=row.leaf,
        erased=body is None,
    )


def name_in(body: str | None) -> str:
    """Return the name in a personal part, empty where that was erased."""
    return str(json.loads(body)["actor"]) if body is not None else ""
