"""The AsyncAPI 3.0 document of the topics, made of the models: ``python -m gateway.telemetry.description``.

It writes docs/asyncapi.yaml; a test holds that file to the models.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from gateway.telemetry.commands import EXPIRY_S
from gateway.telemetry.messages import COMMANDS, EVENTS, SIZE_MAX_BYTES, STATES, Answer, Birth, Will
from gateway.telemetry.topics import PREFIX

DOCUMENT = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"
ABOUT = (
    "What units in the field and Sightline say to each other: JSON, MQTT 5 or 3.1.1, QoS 1, TLS with a certificate "
    f"whose common name is the unit's label. A payload has at most {SIZE_MAX_BYTES} bytes. In every message of a unit "
    "seq rises by one within a boot, over all its topics; what comes a second time or late is refused, and what is "
    "left out is counted as missing."
)
_LABEL = {"description": "The unit's label, as printed on it and as its certificate names it, as in D017."}


def document() -> dict[str, Any]:
    """Return the document."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    schemas: dict[str, Any] = {}

    def add(name: str, topic: str, models: list[type[BaseModel]], *, kept: bool, ours: bool = False) -> None:
        for model in models:
            schemas[model.__name__] = _schema(model)
        channels[name] = {
            "address": f"{PREFIX}/{{label}}/{topic}",
            "parameters": {"label": _LABEL},
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
        if ours:
            binding["messageExpiryInterval"] = EXPIRY_S
        # AsyncAPI tells what the application described does: Sightline.
        operations[name] = {
            "action": "send" if ours else "receive",
            "channel": {"$ref": f"#/channels/{name}"},
            "bindings": {"mqtt": binding},
        }

    add("online", "online", [Birth, Will], kept=True)
    for kind, model in STATES.items():
        add(f"state-{kind}", f"state/{kind}", [model], kept=True)
    for kind, model in EVENTS.items():
        add(f"event-{kind}", f"event/{kind}", [model], kept=False)
    for kind, command in COMMANDS.items():
        add(f"command-{kind}", f"command/{kind}", [command], kept=False, ours=True)
        add(f"answer-{kind}", f"answer/{kind}", [Answer], kept=False)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Sightline: units in the field", "version": "1", "description": ABOUT},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"schemas": schemas},
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
    return schema


if __name__ == "__main__":
    DOCUMENT.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT}\n")
