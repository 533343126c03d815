"""Log lines with nothing in them that says who, where from, or what was typed.

Only what is known to be harmless is let through, so that a field which somebody adds to an event tomorrow is hidden
until it is listed here.
"""

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator

NEWEST = 2000
HIDDEN = "•••"
_TEXTS = frozenset(
    {
        "timestamp", "level", "event", "error", "code", "host", "camera", "device", "stream", "disk", "method", "path",
        "status", "cause", "codec", "action", "state", "version", "current", "key", "session", "relay", "logger",
    }
)  # fmt: skip
"""Keys whose texts are words of our own: codes, identifiers that are random, instants."""
_FRAME = re.compile(r'\s*File ".*/(?P<file>[^/"]+/[^/"]+)", line (?P<line>\d+), in (?P<name>\S+)')
_RAISED = re.compile(r"(?P<kind>[A-Za-z_][\w.]*(?:Error|Exception|Group|Interrupt|Exit|Timeout))\b")


def shown(lines: Iterable[str], *, newest: int = NEWEST) -> Iterator[str]:
    """Yield the newest log lines without what they say of people and places; what is no event of ours is counted."""
    foreign = 0
    for line in deque(lines, maxlen=newest):
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if isinstance(event, dict) and isinstance(event.get("event"), str):
            yield json.dumps({key: _value(key, value) for key, value in event.items()}, ensure_ascii=False)
        else:
            foreign += 1
    if foreign:
        yield json.dumps({"event": "support.left_out", "lines": foreign})


def _value(key: str, value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if key == "exception" and isinstance(value, str):
        return _trace(value)
    if key in _TEXTS and isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, int | float) for one in value):
        return value
    return HIDDEN


def _trace(text: str) -> list[str]:
    """Return where an error came from and its kind; its words may quote anything."""
    found = []
    for line in text.splitlines():
        if frame := _FRAME.match(line):
            found.append(f"{frame['file']}:{frame['line']} {frame['name']}")
        elif raised := _RAISED.match(line.strip(" |+-")):
            found.append(raised["kind"])
    return found
