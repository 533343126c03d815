"""The AsyncAPI 3.0 document of the topics, made of the models: ``python -m gateway.telemetry.description``.

It writes docs/asyncapi.yaml; a test holds that file to the models.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from config.outward import OutwardTopic
from gateway.mqtt import DEVICES
from gateway.telemetry.commands import EXPIRY_S
from gateway.telemetry.messages import COMMANDS, EVENTS, SIZE_MAX_BYTES, STATES, Answer, Birth, Will
from gateway.telemetry.onvif_events import FORM, OnvifEvent
from gateway.telemetry.outward.discovery import Discovery
from gateway.telemetry.outward.messages import (
    KINDS,
    OF_THE_HOUSE,
    PRESENCE,
    TOLD,
    Absence,
    PresenceSaid,
    UnitAlarmSaid,
    address,
    unit_alarms,
)
from gateway.telemetry.topics import PREFIX as UNITS

DOCUMENT = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"
ABOUT = (
    "What units in the field and cameras say to Sightline, what it tells them, and what it tells other systems: JSON, "
    "MQTT 5 or 3.1.1, QoS 1, TLS. A unit shows a certificate whose common name is its label; a payload of it has at "
    f"most {SIZE_MAX_BYTES} bytes, and in every message of it seq rises by one within a boot, over all its topics; "
    "what comes a second time or late is refused, and what is left out is counted as missing. Times are from 1970 to "
    "before 2200. What other systems are told (cameras, incidents, outward, units' alarms) is told only where people "
    "asked for it; there seq rises by one with each of its kind in a boot, so that a gap says what was missed, and no "
    "payload holds a name or what somebody typed."
)
_LABEL = {"description": "The unit's label, as printed on it and as its certificate names it, as in D017."}
_NUMBER = {"description": "The camera's number, as the control room calls it."}
_DEVICE = {"description": "The identifier of a device that is enrolled, which is its user name at the broker."}
_EVENT = {
    "description": "The ONVIF topic without its namespace, as in VideoSource/MotionAlarm, and behind /& the values of "
    "its source, separated by slashes (ONVIF Core, Event Broker)."
}
_UNIT_ID = {"description": "sightline_ and the unit's label."}


def document() -> dict[str, Any]:
    """Return the document."""
    paper = _Paper()

    def add(name: str, topic: str, models: list[type[BaseModel]], *, kept: bool, ours: bool = False) -> None:
        at = f"{UNITS}/{{label}}/{topic}"
        paper.add(name, at, {"label": _LABEL}, models, kept=kept, ours=ours, expiry_s=EXPIRY_S if ours else None)

    add("online", "online", [Birth, Will], kept=True)
    for kind, model in STATES.items():
        add(f"state-{kind}", f"state/{kind}", [model], kept=True)
    for kind, model in EVENTS.items():
        add(f"event-{kind}", f"event/{kind}", [model], kept=False)
    for kind, command in COMMANDS.items():
        add(f"command-{kind}", f"command/{kind}", [command], kept=False, ours=True)
        add(f"answer-{kind}", f"answer/{kind}", [Answer], kept=False)
    add("onvif-of-unit", f"{FORM}/{{event}}", [OnvifEvent], kept=True)
    paper.channels["onvif-of-unit"]["parameters"]["event"] = _EVENT
    at = f"{DEVICES}/{{device}}/{FORM}/{{event}}"
    paper.add("onvif-of-device", at, {"device": _DEVICE, "event": _EVENT}, [OnvifEvent], kept=True)
    for topic, said in KINDS.items():
        where = {"number": _NUMBER} if topic not in OF_THE_HOUSE else {}
        kept = topic is OutwardTopic.CAMERAS
        paper.add(f"told-{topic}", address(topic), where, [TOLD[said]], kept=kept, ours=True)
    paper.add("told-unit-alarms", unit_alarms(), {"label": _LABEL}, [TOLD[UnitAlarmSaid]], kept=False, ours=True)
    paper.add("told-outward", PRESENCE, {}, [TOLD[PresenceSaid], Absence], kept=True, ours=True)
    paper.add(
        "home-assistant", "homeassistant/device/{unit}/config", {"unit": _UNIT_ID}, [Discovery], kept=True, ours=True
    )
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Sightline over MQTT", "version": "1", "description": ABOUT},
        "defaultContentType": "application/json",
        "channels": paper.channels,
        "operations": paper.operations,
        "components": {"schemas": paper.schemas},
    }


class _Paper:
    """Channels, operations and schemas as they are written."""

    def __init__(self) -> None:
        self.channels: dict[str, Any] = {}
        self.operations: dict[str, Any] = {}
        self.schemas: dict[str, Any] = {}

    def add(  # noqa: PLR0913 - what a channel is
        self,
        name: str,
        address: str,
        parameters: dict[str, Any],
        models: list[type[BaseModel]],
        *,
        kept: bool,
        ours: bool = False,
        expiry_s: int | None = None,
    ) -> None:
        """Write a channel with its one operation: what Sightline, which the document describes, does there."""
        for model in models:
            self.schemas[model.__name__] = _schema(model)
        self.channels[name] = {
            "address": address,
            "parameters": dict(parameters),
            "messages": {
                model.__name__: {
                    "summary": (model.__doc__ or "").partition("\n")[0],
                    "contentType": "application/json",
                    "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
                }
                for model in models
            },
        }
        binding: dict[str, Any] = {"qos": 1, "retain": kept, "bindingVersion": "0.2.0"}
        if expiry_s is not None:
            binding["messageExpiryInterval"] = expiry_s
        self.operations[name] = {
            "action": "send" if ours else "receive",
            "channel": {"$ref": f"#/channels/{name}"},
            "bindings": {"mqtt": binding},
        }


def render() -> str:
    """Return the text of the document."""
    return "\n".join(_lines(document())) + "\n"


def _lines(part: Any) -> list[str]:
    """Return a part as lines of YAML: blocks, with every text quoted as JSON does it, which YAML takes."""
    if isinstance(part, dict) and part:
        return [line for key, value in part.items() for line in _entry(f"{_key(key)}:", value)]
    if isinstance(part, list) and part:
        return [line for value in part for line in _item(_lines(value))]
    return [json.dumps(part, ensure_ascii=False)]


def _entry(head: str, value: Any) -> list[str]:
    lines = _lines(value)
    if isinstance(value, dict | list) and value:
        return [head, *(f"  {line}" for line in lines)]
    return [f"{head} {lines[0]}"]


def _item(lines: list[str]) -> list[str]:
    return [f"- {lines[0]}", *(f"  {line}" for line in lines[1:])]


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and not key[0].isdigit() else json.dumps(key)


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    schema.pop("title", None)
    named = schema.pop("$defs", {})
    whole = _inlined(schema, named)
    assert isinstance(whole, dict)
    return whole


def _inlined(part: Any, named: dict[str, Any]) -> Any:
    """Return a part of a schema with what it names elsewhere in its place: here that place is another document's."""
    if isinstance(part, dict):
        if "$ref" in part:
            return _inlined(named[part["$ref"].rpartition("/")[2]], named)
        return {key: _inlined(value, named) for key, value in part.items()}
    return [_inlined(value, named) for value in part] if isinstance(part, list) else part


if __name__ == "__main__":
    DOCUMENT.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT}\n")
