"""Does the log still say what it said? All is computed anew from what is stored; nothing stored is believed."""

import asyncio
import heapq
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.audit.checkpoints import Checkpoint
from gateway.audit.events import Action
from gateway.audit.leaves import SALT_BYTES, commitment, leaf_of, opens, span_class
from gateway.audit.tree import Edge
from gateway.db.audit import ROW_NAMES, AuditRow, AuditRows

SHOWN_MAX = 100
PAGE = 2000
FIELDS = len(ROW_NAMES)
"""Columns of an entry; the personal part's time, salt and body follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What checking the log found; no problems means that nothing was altered, removed, reordered or slipped in."""

    entries: int
    head: str
    """Root of the tree, hex."""
    checkpoints: int
    """How many were held against it."""
    erased: int
    """Entries whose personal part was erased."""
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Return whether nothing was found."""
        return not self.problems


async def check(rows: AuditRows, checkpoints: Sequence[Checkpoint]) -> AuditReport:
    """Check the whole log, in one transaction, and that it goes on from each of ``checkpoints``.

    The work is done in a thread, page by page: whoever watches meanwhile does not notice.
    """
    checker = _Checker(checkpoints)
    after = -(2**63)
    while True:
        page = await rows.stored_after(after, limit=PAGE)
        if page is None:
            checker.unreadable(after)
            break
        if not page:
            break
        await asyncio.to_thread(checker.take, page)
        after = page[-1][0]
    return checker.report(
        head=await rows.stored_head(), still_open=await rows.stored_open(), personal=await rows.personal_parts()
    )


class _Checker:
    def __init__(self, checkpoints: Sequence[Checkpoint]) -> None:
        self._problems: list[str] = []
        self._edge = Edge()
        self._next = 1
        self._entries = 0
        self._personal = 0
        self._open: dict[str, int] = {}
        self._missing: list[tuple[int, int]] = []
        """The newest entries without a personal part, as (when, number): those that no erasure may cover."""
        self._erased_before_ns = 0
        self._checkpoints = len(checkpoints)
        self._wanted: dict[int, list[Checkpoint]] = {}
        for one in checkpoints:
            self._wanted.setdefault(one.size, []).append(one)
        self._meet_checkpoints()

    def take(self, page: Sequence[tuple[Any, ...]]) -> None:
        """Check the next rows. Blocks for as long as the hashes take."""
        for stored in page:
            self._take(AuditRow(**dict(zip(ROW_NAMES, stored, strict=False))), *stored[FIELDS:])

    def unreadable(self, after: int) -> None:
        """Note that the database makes nothing of what it holds."""
        self._found(f"An entry after {max(0, after)} holds bytes that are no text: it was altered.")

    def _found(self, problem: str) -> None:
        if len(self._problems) < SHOWN_MAX:
            self._problems.append(problem)

    def _take(self, row: AuditRow, personal_at_ns: Any, salt: Any, body: Any) -> None:
        self._entries += 1
        if row.seq > self._next:
            self._found(f"{_range(self._next, row.seq - 1)} missing.")
        elif row.seq < self._next:
            self._found(f"Entry {row.seq} stands where it does not belong.")
        self._next = max(self._next, row.seq) + 1
        try:
            leaf = leaf_of(row)
            sound = leaf == row.leaf and row.span_class == span_class(row.action, row.outcome, row.from_ns, row.to_ns)
            sound = sound and type(row.span_class) in {int, type(None)}
        except (TypeError, ValueError, AttributeError):
            # Not even the kind of thing that is written: the leaf that is told stands in for it.
            leaf, sound = bytes(row.leaf) if isinstance(row.leaf, bytes) else b"", False
        if not sound:
            self._found(f"Entry {row.seq} was altered.")
        else:
            self._take_personal(row, personal_at_ns, salt, body)
            self._follow(row)
        self._edge.push(leaf)
        self._meet_checkpoints()

    def _take_personal(self, row: AuditRow, at_ns: Any, salt: Any, body: Any) -> None:
        if at_ns is None:
            heapq.heappush(self._missing, (row.at_ns, row.seq))
            if len(self._missing) > SHOWN_MAX:
                heapq.heappop(self._missing)
            return
        self._personal += 1
        kinds = type(salt) is bytes and len(salt) == SALT_BYTES and type(body) is str
        if not kinds or at_ns != row.at_ns or commitment(salt, body) != row.commitment:
            self._found(f"The personal part of entry {row.seq} was altered.")

    def _follow(self, row: AuditRow) -> None:
        if row.span:
            self._open.pop(row.span, None)
            if opens(row):
                self._open[row.span] = row.seq
        if row.action == Action.AUDIT_ERASED:
            self._erased_before_ns = max(self._erased_before_ns, _before_ns(row.details))

    def _meet_checkpoints(self) -> None:
        for one in self._wanted.pop(self._edge.size, ()):
            if one.root != self._edge.root:
                self._found(
                    f"The first {one.size} entries are not those of a checkpoint: something in them was altered, "
                    "removed or reordered."
                )

    def report(
        self, *, head: tuple[Any, Any] | None, still_open: list[tuple[Any, ...]] | None, personal: int
    ) -> AuditReport:
        """Check what is told about the whole, and return everything that was found."""
        self._check_head(head)
        for size in sorted(self._wanted):
            self._found(f"A checkpoint tells of {size} entries: {_range(self._entries + 1, size)} missing at the end.")
        for at_ns, seq in sorted(self._missing, key=lambda one: one[1]):
            if at_ns >= self._erased_before_ns:
                self._found(f"The personal part of entry {seq} is missing, and no erasure covers it.")
        if still_open is None or dict(still_open) != self._open:
            self._found("The table of what has not ended is not what the entries say.")
        if personal != self._personal and not self._problems:
            self._found("There are personal parts that belong to no entry.")
        return AuditReport(
            entries=self._entries,
            head=self._edge.root.hex(),
            checkpoints=self._checkpoints,
            erased=self._entries - self._personal,
            problems=tuple(self._problems),
        )

    def _check_head(self, head: tuple[Any, Any] | None) -> None:
        if head is None:
            self._found("The record of the log's end is missing.")
            return
        size, edge = head
        if type(size) is not int or type(edge) is not bytes:
            self._found("The record of the log's end was altered.")
        elif size > self._edge.size:
            self._found(f"{_range(self._edge.size + 1, size)} missing at the end.")
        elif size < self._edge.size:
            self._found(f"Entries after {size} were added past the recorded end of the log.")
        elif edge != self._edge.pack():
            self._found("The entries are not those that the record of the log's end was made of.")


def _before_ns(details: str) -> int:
    """Return the instant that an erasure went up to; 0, covering nothing, where it names none."""
    told = json.loads(details).get("before_ns", "")
    return int(told) if isinstance(told, str) and told.isascii() and told.isdigit() else 0


def _range(first: int, last: int) -> str:
    return f"Entry {first} is" if first == last else f"Entries {first} to {last} are"
