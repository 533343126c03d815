"""ONVIF events as devices tell them over MQTT (Profile M): topics and payloads of ONVIF Core, "Event Broker".

A topic is ``{prefix}/onvif-ej/{ONVIF topic}[/&{source values}]``. The prefix is what a device was told: a unit's own
topics, or ``sightline/v1/devices/{device}`` with the identifier of a device that is enrolled. A payload is JSON with
``UtcTime``, ``Source`` and ``Data``; the state of a property is kept by the broker, and an empty payload deletes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gateway.mqtt import DEVICES
from gateway.telemetry.topics import PREFIX as UNITS
from kernel.clock import of_our_time

FORM = "onvif-ej"
FROM_DEVICES = (f"{UNITS}/+/{FORM}/#", f"{DEVICES}/+/{FORM}/#")
"""What we subscribe to."""
STEPS_MAX = 16
ITEMS_MAX = 64
TEXT_MAX = 256
_OWN = "tns1:"
"""ONVIF's own namespace, which has no prefix on the wire; some makes write it all the same."""

Item = str | bool | int | float


class Sender(StrEnum):
    """Whose topics something came on."""

    UNIT = "unit"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class EventTopic:
    """``name`` is a unit's label or a device's identifier; ``topic`` as everywhere here, with ``tns1:`` before it."""

    sender: Sender
    name: str
    topic: str
    values: tuple[str, ...] = ()
    """Of its source, as far as the topic tells them."""


class OnvifEvent(BaseModel):
    """An event. Quotes around numbers, yes and no may be missing; what is no single value is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    utc_time: Annotated[datetime, Field(alias="UtcTime")]
    """By the device's clock."""
    source: Annotated[dict[str, str], Field(alias="Source", max_length=ITEMS_MAX)] = {}
    """What it is about, as in {"VideoSourceConfigurationToken": "1"}."""
    key: Annotated[dict[str, str], Field(alias="Key", max_length=ITEMS_MAX)] = {}
    data: Annotated[dict[str, str], Field(alias="Data", max_length=ITEMS_MAX)] = {}
    """What is so, as in {"State": "true"}."""

    @field_validator("utc_time")
    @classmethod
    def _is_utc(cls, moment: datetime) -> datetime:
        return of_our_time(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))

    @field_validator("source", "key", "data", mode="before")
    @classmethod
    def _plain(cls, items: Any) -> Any:
        if not isinstance(items, Mapping):
            return items
        listed = items.get("SimpleItem")
        if isinstance(listed, list):
            # Hanwha writes the XML's own form.
            items = {
                str(one["Name"]): one.get("Value", "") for one in listed if isinstance(one, dict) and "Name" in one
            }
        return {name[:TEXT_MAX]: _text(value) for name, value in items.items() if isinstance(value, Item)}


def _text(value: Item) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)[:TEXT_MAX]


def is_event(topic: str) -> bool:
    """Return whether a topic is one on which devices tell events, well-formed or not."""
    return topic.startswith((f"{UNITS}/", f"{DEVICES}/")) and topic.split("/")[4:5] == [FORM]


def read_event(topic: str) -> EventTopic | None:
    """Return which event a topic is of; ``None`` where it is none."""
    if not is_event(topic):
        return None
    name, _, rest = topic.split("/", 3)[3].partition(f"/{FORM}")
    local, marked, told = rest.removeprefix("/").partition("/&")
    steps = [step.removeprefix(_OWN) for step in local.split("/")]
    if not name or not all(steps) or len(steps) > STEPS_MAX or len(local) > TEXT_MAX:
        return None
    sender = Sender.UNIT if topic.startswith(f"{UNITS}/") else Sender.DEVICE
    path = "/".join(steps)
    values = tuple(told.split("/")) if marked else ()
    return EventTopic(sender, name, path if ":" in steps[0] else f"{_OWN}{path}", values)
