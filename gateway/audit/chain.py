"""The chain: each entry's hash covers the entry and the hash before it.

hash = SHA-256(previous hash in hex, newline, canonical JSON of the entry), hex. Canonical JSON: keys sorted, no blanks,
UTF-8, only strings, integers, booleans and null, so that it is the same in every implementation (a subset of RFC 8785).
"""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace

from gateway.audit.events import AuditEvent
from gateway.db.audit import AuditRow

GENESIS = "0" * 64
SHOWN_MAX = 100


def canonical(value: Mapping[str, object]) -> str:
    """Return the one JSON form of an entry."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def entry_hash(row: AuditRow) -> str:
    """Return the hash that belongs to a row's contents."""
    entry = {
        "seq": row.seq,
        "at_ns": str(row.at_ns),  # beyond 2**53, where other implementations lose digits
        "action": row.action,
        "outcome": row.outcome,
        "actor_id": row.actor_id,
        "actor": row.actor,
        "address": row.address,
        "subject": row.subject,
        "details": row.details,
    }
    return hashlib.sha256(f"{row.previous_hash}\n{canonical(entry)}".encode()).hexdigest()


def link(event: AuditEvent, *, at_ns: int, seq: int, previous_hash: str) -> AuditRow:
    """Return the row of an event at the end of the chain. Long texts are cut to what the table takes."""
    row = AuditRow(
        seq=seq,
        at_ns=at_ns,
        action=event.action.value,
        outcome=event.outcome.value,
        actor_id=event.actor.id[:64],
        actor=event.actor.name[:120],
        address=event.actor.address[:64],
        subject=event.subject[:64],
        details=canonical(dict(event.details)),
        previous_hash=previous_hash,
        hash="",
    )
    return replace(row, hash=entry_hash(row))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReport:
    """What checking the chain found; no problems means that nothing was altered, removed or slipped in."""

    entries: int
    head: str
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Return whether nothing was found."""
        return not self.problems


async def check(rows: AsyncIterator[AuditRow], head: tuple[int, str] | None) -> ChainReport:
    """Follow the chain from its first entry to ``head`` (sequence number and hash, as they were stored)."""
    problems: list[str] = []
    expected_seq, previous = 1, GENESIS
    entries = 0
    async for row in rows:
        entries += 1
        problems += _link_problems(row, expected_seq, previous)
        del problems[SHOWN_MAX:]
        expected_seq, previous = row.seq + 1, row.hash
    return ChainReport(
        entries=entries, head=previous, problems=(*problems, *_end_problems(head, expected_seq - 1, previous))
    )


def _link_problems(row: AuditRow, expected_seq: int, previous: str) -> list[str]:
    problems = []
    if row.seq > expected_seq:
        problems.append(f"{_range(expected_seq, row.seq - 1)} missing.")
    elif row.previous_hash != previous:
        problems.append(f"Entry {row.seq} does not follow from the entry before it.")
    if entry_hash(row) != row.hash:
        problems.append(f"Entry {row.seq} was altered.")
    return problems


def _end_problems(head: tuple[int, str] | None, last_seq: int, last_hash: str) -> list[str]:
    if head is None:
        return ["The record of the chain's end is missing."]
    seq, stored = head
    if seq > last_seq:
        return [f"{_range(last_seq + 1, seq)} missing at the end."]
    if seq < last_seq:
        return [f"Entries after {seq} were added past the recorded end of the chain."]
    if stored != last_hash:
        return ["The last entry is not the one that was recorded as the end of the chain."]
    return []


def _range(first: int, last: int) -> str:
    return f"Entry {first} is" if first == last else f"Entries {first} to {last} are"
