"""What other systems are told: nothing by default, and settings that make no sense are refused."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from config.outward import OutwardSettings, OutwardTopic
from config.settings import Settings
from config.telemetry import TelemetrySettings

FORM = re.compile(OutwardSettings().incident_form)


def test_nothing_is_told_by_default() -> None:
    """No topic, no Home Assistant, no reader."""
    assert not OutwardSettings().wanted
    assert Settings().outward.topics == ()


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"url": "mqtt://bus.example.org"}, "mqtts"),
        ({"url": "mqtts://user:secret@bus.example.org"}, "keys of their own"),
        ({"ca": "/ca.pem"}, "give url"),
        ({"url": "mqtts://bus.example.org", "username": "sightline"}, "go together"),
        ({"url": "mqtts://bus.example.org", "key": "/k.pem"}, "go together"),
        ({"url": "mqtts://bus.example.org", "home_assistant": True}, "units' own topics"),
        ({"incident_form": "("}, "regular expression"),
        ({"readers": ["Dispatch.1"]}, "pattern"),
        ({"topics": ["people"]}, "topics"),
    ],
)
def test_what_makes_no_sense_is_refused(said: dict[str, Any], what: str) -> None:
    """With a reason."""
    with pytest.raises(ValidationError, match=what):
        OutwardSettings.model_validate(said)


def test_somewhere_to_publish_is_needed() -> None:
    """The units' broker, or another."""
    topics = OutwardSettings(topics=(OutwardTopic.ALARMS,))
    with pytest.raises(ValidationError, match=r"outward\.url"):
        Settings(outward=topics)
    assert Settings(outward=topics, telemetry=TelemetrySettings(embedded=True)).outward.wanted
    assert Settings(outward=OutwardSettings(topics=topics.topics, url="mqtts://bus.example.org")).outward.wanted
    with pytest.raises(ValidationError, match="readers"):
        Settings(outward=OutwardSettings(readers=("dispatch",)))


def test_cameras_come_to_mosquitto_alone() -> None:
    """The embedded broker takes no password."""
    with pytest.raises(ValidationError, match="units alone"):
        TelemetrySettings(embedded=True, cameras_url="mqtts://broker.example.org:8884")


@pytest.mark.parametrize("number", ["CAD 4711", "CAD4711", "INC-2026-044", "REF 4711/26"])
def test_a_number_of_an_incident_is_one(number: str) -> None:
    """As forces write them."""
    assert FORM.fullmatch(number)


@pytest.mark.parametrize(
    "typed",
    [
        "Peabody robbery",
        "SMITH 1987",
        "07700 900123",
        "07700900123",
        "7700900123",
        "12",
        "",
        "CAD 4711 Mrs Peabody",
        "cad",
        "12/03/1985",
        "9434765919",
    ],
)
def test_what_is_no_number_is_not_told(typed: str) -> None:
    """Names, numbers of people (telephone, birth, health), sentences."""
    assert FORM.fullmatch(typed) is None


def test_the_example_has_it() -> None:
    """Every key, with what it means."""
    text = (Path(__file__).parents[3] / "config" / "example.toml").read_text(encoding="utf-8")
    assert "[outward]" in text
    for key in OutwardSettings.model_fields:
        assert re.search(rf"(?m)^(# )?{key} = ", text), key
