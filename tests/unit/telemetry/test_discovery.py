"""What Home Assistant is told of units addresses what units say, and fits into a packet at their broker."""

import json
import re
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from gateway.telemetry.messages import EVENTS, STATES, Birth, Will
from gateway.telemetry.outward.discovery import ENTRIES, payload, topic
from gateway.telemetry.topics import Branch, read
from tests.fakes.unit_voice import VALUES

PACKET_MAX_BYTES = 4608
"""docs/mosquitto.conf: max_packet_size."""
PLATFORMS = {"sensor", "binary_sensor", "device_tracker"}
CLASSES = {
    "sensor": {"battery", "enum", "signal_strength", "temperature"},
    "binary_sensor": {"battery_charging", "opening", "tamper", "vibration", "moving"},
}
"""Of Home Assistant's device classes, those that fit what units tell."""


def told(label: str = "D017") -> dict[str, Any]:
    """Return what is told of a unit."""
    found: dict[str, Any] = json.loads(payload(label, serial="SN-17", firmware="2.1.0", version="0.1.0"))
    return found


def components() -> dict[str, dict[str, Any]]:
    """Return its entries."""
    found: dict[str, dict[str, Any]] = told()["cmps"]
    return found


def fields(template: str) -> set[str]:
    """Return what a template takes of a message."""
    return set(re.findall(r"value_json\.(\w+)", template))


def model_at(address: str) -> type[BaseModel]:
    """Return the model of what a unit says on a topic."""
    found = read(address)
    assert found is not None, address
    assert found.label == "D017"
    known = STATES if found.branch is Branch.STATE else EVENTS
    return known[found.kind]


@pytest.mark.parametrize("name", [entry.id for entry in ENTRIES])
def test_an_entry_addresses_what_units_say(name: str) -> None:
    """Its topic is one of a unit, and each field of its template is in the model of that topic."""
    entry = components()[name]
    at = entry.get("stat_t") or entry["json_attr_t"]
    template = entry.get("val_tpl") or entry["json_attr_tpl"]
    model = model_at(at)
    assert fields(template) <= model.model_fields.keys()
    if model in STATES.values():
        assert fields(template), "a state without a value says nothing"


@pytest.mark.parametrize("name", [entry.id for entry in ENTRIES])
def test_an_entry_is_one_that_home_assistant_knows(name: str) -> None:
    """Platform, identifier, and a class where there is one that fits."""
    entry = components()[name]
    assert entry["p"] in PLATFORMS
    assert entry["uniq_id"] == f"sightline_D017_{name}"
    assert entry.get("dev_cla") in {None, *CLASSES.get(entry["p"], set())}


def test_a_device_says_what_discovery_wants() -> None:
    """Device with an identifier, origin with a name, and whether the unit is there, by birth and will alike."""
    found = told()
    assert found["dev"] == {"ids": ["sightline_D017"], "name": "D017", "sn": "SN-17", "sw": "2.1.0"}
    assert found["o"] == {"name": "Sightline", "sw": "0.1.0"}
    assert found["avty_t"] == "sightline/v1/units/D017/online"
    (field,) = fields(found["avty_tpl"])
    for model in (Birth, Will):
        assert field in model.model_fields
    assert get_args(Birth.model_fields[field].annotation) == (True,)
    assert get_args(Will.model_fields[field].annotation) == (False,)
    assert topic("D017", "homeassistant") == "homeassistant/device/sightline_D017/config"


def test_identifiers_differ() -> None:
    """No two entries are one to Home Assistant."""
    assert len({entry["uniq_id"] for entry in components().values()}) == len(ENTRIES)


def test_a_supply_is_one_of_those_that_are_named() -> None:
    """Home Assistant takes no other value of an enumeration."""
    annotation = STATES["supply"].model_fields["source"].annotation
    assert set(components()["supply"]["ops"]) == set(get_args(annotation))


def test_it_fits_into_a_packet_of_the_units_broker() -> None:
    """Of the longest label, too."""
    label = "D" * 32
    size = len(payload(label, serial="S" * 120, firmware="F" * 40, version="100.100.100").encode())
    assert size + len(topic(label, "h" * 20)) + 8 <= PACKET_MAX_BYTES


def test_a_place_is_what_a_tracker_reads() -> None:
    """Latitude, longitude and accuracy under Home Assistant's own names."""
    template = components()["place"]["json_attr_tpl"]
    assert {"latitude", "longitude", "gps_accuracy"} == set(re.findall(r"'(\w+)':", template))
    assert fields(template) <= VALUES["position"].keys()
