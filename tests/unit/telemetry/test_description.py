"""docs/asyncapi.yaml says what is on the wire, and cannot say anything else."""

import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped] # comes with amqtt

from config.outward import OutwardSettings, OutwardTopic
from gateway.telemetry.description import DOCUMENT, document, render
from gateway.telemetry.messages import COMMANDS, EVENTS, STATES
from gateway.telemetry.onvif_events import read_event
from gateway.telemetry.outward import discovery
from gateway.telemetry.outward.messages import PRESENCE, unit_alarms
from gateway.telemetry.outward.messages import address as topic_of
from gateway.telemetry.topics import WRITTEN, read


def test_the_document_is_what_the_models_say() -> None:
    """After a change: python -m gateway.telemetry.description."""
    assert DOCUMENT.read_text(encoding="utf-8") == render()
    assert yaml.safe_load(render()) == document()


def test_every_topic_of_units_is_one_of_ours() -> None:
    """Each address is a topic as we read it, and each kind has its channel."""
    addresses = {name: channel["address"] for name, channel in document()["channels"].items()}
    events = {name: addresses.pop(name) for name in ("onvif-of-unit", "onvif-of-device")}
    for address in events.values():
        filled = (
            address.replace("{label}", "D017").replace("{device}", "d1").replace("{event}", "Device/Trigger/Relay/&1")
        )
        assert read_event(filled) is not None
    told = {name: address for name, address in addresses.items() if name.startswith("told-")}
    assert told.pop("told-outward") == PRESENCE
    assert told.pop("told-unit-alarms") == unit_alarms()
    assert set(told.values()) == {topic_of(kind) for kind in OutwardTopic}
    found = addresses.pop("home-assistant").replace("{unit}", "sightline_D017")
    assert found == discovery.topic("D017", OutwardSettings().home_assistant_prefix)
    units = {name: address for name, address in addresses.items() if not name.startswith("told-")}
    assert None not in [read(address.replace("{label}", "D017")) for address in units.values()]
    assert len(units) == 1 + len(STATES) + len(EVENTS) + 2 * len(COMMANDS)


def test_every_topic_that_other_systems_may_read_is_in_the_shipped_access_list() -> None:
    """Written by Sightline under the name for that, and offered to readers."""
    acl = (DOCUMENT.parent / "mosquitto.acl").read_text(encoding="utf-8")
    for kind in OutwardTopic:
        assert f"topic read {topic_of(kind).replace('{number}', '+')}\n" in acl
    for may in ("topic write", "#topic read"):
        assert f"{may} {unit_alarms('+')}\n" in acl


def test_a_unit_writes_word_for_word_what_there_is() -> None:
    """The shipped access list has the product's kinds and nothing else; no line lets anybody make topics up."""
    acl = (DOCUMENT.parent / "mosquitto.acl").read_text(encoding="utf-8")
    patterns = re.findall(r"(?m)^pattern write (\S+)$", acl)
    own = "sightline/v1/units/%u/"
    kinds = {
        "online",
        *(f"state/{kind}" for kind in STATES),
        *(f"event/{kind}" for kind in EVENTS),
        *(f"answer/{kind}" for kind in COMMANDS),
    }
    assert sorted(patterns) == sorted(own + kind for kind in kinds)
    assert kinds == WRITTEN
    offered = re.findall(r"(?m)^#pattern write (\S+)$", acl)
    assert offered
    assert not [one for one in offered if "+" in one or "#" in one]


def test_states_are_kept_and_commands_expire_and_are_not() -> None:
    """As the bindings say; what we send is commands and what other systems are told."""
    kept = ("state-", "online", "onvif-", "told-cameras", "told-outward", "home-assistant")
    for name, operation in document()["operations"].items():
        binding = operation["bindings"]["mqtt"]
        assert binding["retain"] is name.startswith(kept), name
        assert ("messageExpiryInterval" in binding) is name.startswith("command-")
        assert operation["action"] == ("send" if name.startswith(("command-", "told-", "home-")) else "receive")


def test_every_parameter_of_an_address_is_described() -> None:
    """And no other."""
    for name, channel in document()["channels"].items():
        assert set(re.findall(r"\{(\w+)\}", channel["address"])) == set(channel["parameters"]), name


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
