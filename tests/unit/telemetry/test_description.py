"""docs/asyncapi.yaml says what is on the wire, and cannot say anything else."""

from typing import Any

import pytest
import yaml  # type: ignore[import-untyped] # comes with amqtt

from gateway.telemetry.description import DOCUMENT, document, render
from gateway.telemetry.messages import COMMANDS, EVENTS, STATES
from gateway.telemetry.topics import read


def test_the_document_is_what_the_models_say() -> None:
    """After a change: python -m gateway.telemetry.description."""
    assert DOCUMENT.read_text(encoding="utf-8") == render()
    assert yaml.safe_load(render()) == document()


def test_every_topic_is_one_of_ours() -> None:
    """Each address is a topic as we read it, and each kind has its channel."""
    channels = document()["channels"]
    read_as = [read(channel["address"].replace("{label}", "D017")) for channel in channels.values()]
    assert None not in read_as
    assert len(channels) == 1 + len(STATES) + len(EVENTS) + 2 * len(COMMANDS)


def test_states_are_kept_and_commands_expire_and_are_not() -> None:
    """As the bindings say."""
    for name, operation in document()["operations"].items():
        binding = operation["bindings"]["mqtt"]
        assert binding["retain"] is name.startswith(("state-", "online"))
        assert ("messageExpiryInterval" in binding) is name.startswith("command-")
        assert operation["action"] == ("send" if name.startswith("command-") else "receive")


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        return [value for key, value in part.items() if key == "$ref"] + [
            one for value in part.values() for one in _references(value)
        ]
    return [one for value in part for one in _references(value)] if isinstance(part, list) else []


@pytest.mark.parametrize("pointer", sorted(set(_references(document()))))
def test_every_reference_leads_somewhere(pointer: str) -> None:
    """Inside the document."""
    part = document()
    for step in pointer.removeprefix("#/").split("/"):
        part = part[step]
    assert part
