"""Who may write and read what other systems are told, at the embedded broker; docs/mosquitto.acl says the same."""

from collections.abc import Callable
from dataclasses import dataclass

from config.outward import OutwardSettings
from gateway.telemetry.outward.messages import CAMERAS, OF_THE_HOUSE, PRESENCE
from gateway.telemetry.topics import PREFIX as UNITS
from gateway.telemetry.topics import Branch
from gateway.units.credentials import OUTWARD, reader

ALARMS = "alarms"


@dataclass(frozen=True, slots=True, kw_only=True)
class May:
    """Which topics somebody may write, and read or subscribe to."""

    write: Callable[[str], bool]
    read: Callable[[str], bool]


def rights(settings: OutwardSettings) -> dict[str, May]:
    """Return what each may who is no unit, by the name on its certificate."""
    assistant = f"{settings.home_assistant_prefix}/"
    status = f"{assistant}status"

    def reads(topic: str) -> bool:
        return _told(topic) or (settings.home_assistant and (topic.startswith(assistant) or _of_unit(topic)))

    def writes(topic: str) -> bool:
        """Home Assistant says itself that it has come, and leaves a last will of that."""
        return settings.home_assistant and topic == status

    ourselves = May(write=lambda topic: _told(topic) or topic.startswith(f"{assistant}device/"), read=lambda _: False)
    reading = May(write=writes, read=reads)
    return {OUTWARD: ourselves} | dict.fromkeys(map(reader, settings.readers), reading)


def _told(topic: str) -> bool:
    steps = topic.removeprefix(f"{UNITS}/").split("/")
    of_unit = topic.startswith(f"{UNITS}/") and steps[1:] == [ALARMS]
    return of_unit or topic.startswith(f"{CAMERAS}/") or topic in {*OF_THE_HOUSE.values(), PRESENCE}


def _of_unit(topic: str) -> bool:
    """Return whether that is, or is within, what units say: no command and no answer is."""
    steps = topic.removeprefix(f"{UNITS}/").split("/")
    return topic.startswith(f"{UNITS}/") and len(steps) >= 2 and steps[1] in {Branch.ONLINE, Branch.STATE, Branch.EVENT}
