"""Remembers over restarts what a broker keeps of ours, to remove what is wanted no more, and which alarms stand."""

import json
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError

from gateway.telemetry.outward.messages import AlarmSaid, UnitAlarmSaid

log = structlog.get_logger()

Alarm = AlarmSaid | UnitAlarmSaid


@dataclass(frozen=True, slots=True)
class Known:
    """Of which broker that is; the topics on which it keeps something; the alarms that its readers take to stand."""

    broker: str | None = None
    topics: frozenset[str] = frozenset()
    standing: tuple[Alarm, ...] = ()


class Memory:
    """A small file. Every method blocks."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = Known()

    def read(self) -> Known:
        """Return what was written last. A file that cannot be read says nothing."""
        try:
            said = json.loads(self._file.read_text(encoding="utf-8"))
            standing = tuple(_alarm(one) for one in said.get("standing", ()))
            self._known = Known(str(said["broker"]), frozenset(map(str, said["topics"])), standing)
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
            log.warning("outward.memory_unread", error=str(error))
        return self._known

    def write(self, broker: str, topics: Iterable[str], standing: Collection[Alarm] = ()) -> None:
        """Remember; nothing is written where it is known already."""
        known = Known(broker, frozenset(topics), tuple(standing))
        if known == self._known:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        beside = self._file.with_name(f".{self._file.name}.new")
        said = {
            "broker": broker,
            "topics": sorted(known.topics),
            "standing": [one.model_dump(mode="json") for one in known.standing],
        }
        with beside.open("w", encoding="utf-8") as file:
            json.dump(said, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._file)
        self._known = known


def _alarm(said: dict[str, Any]) -> Alarm:
    return UnitAlarmSaid.model_validate(said) if "unit" in said else AlarmSaid.model_validate(said)
