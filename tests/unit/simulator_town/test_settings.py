"""What a borough may be, and plain words for what it may not."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.simulator.settings import BoroughSettings
from drivers.simulator.units.broker import Broker


def test_faults_of_all_and_of_one() -> None:
    """A knob is turned on every camera, or with a number before it on that one."""
    settings = BoroughSettings(cameras=3, faults=("freeze-picture", "2:packet_loss=0.1"))
    assert [settings.faults_of(number).freeze_picture for number in (1, 2, 3)] == [True, True, True]
    assert [settings.faults_of(number).packet_loss for number in (1, 2, 3)] == [0.0, 0.1, 0.0]


def test_faults_of_units() -> None:
    """A unit's knob is turned on every unit, or with a number on that one; cameras are not asked."""
    settings = BoroughSettings(cameras=1, units=2, faults=("unit:lost-link", "unit:2:gnss_drift_m=80", "3:garbage"))
    assert [settings.unit_faults_of(number).lost_link for number in (1, 2)] == [True, True]
    assert [settings.unit_faults_of(number).gnss_drift_m for number in (1, 2)] == [0.0, 80.0]
    assert [settings.faults_of(number).garbage for number in (1, 2, 3)] == [False, False, True]


@pytest.mark.parametrize(("host", "told"), [("127.0.0.1", None), ("192.0.2.7", "192.0.2.7"), ("0.0.0.0", "127.0.0.1")])  # noqa: S104 - a setting
def test_where_units_are(host: str, told: str | None) -> None:
    """On loopback units take addresses from a pool; elsewhere they are where the borough is, by their ports."""
    assert BoroughSettings(host=host).unit_host == told


def test_brokers() -> None:
    """A broker's address gives its host and port, 8883 where it names none."""
    named = Broker(url="mqtts://broker.example:9883", certificates=Path("/c"))
    assert (named.host, named.port) == ("broker.example", 9883)
    assert Broker(url="mqtts://broker.example", certificates=Path("/c")).port == 8883


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"units": 2, "faults": ("unit:stollen",)}, "Did you mean stolen"),
        ({"units": 2, "faults": ("unit:3:stolen",)}, "names no unit. Units are numbered 1 to 2"),
        ({"faults": ("unit:stolen",)}, "Units are none: ask for some"),
        ({"units_broker": {"url": "mqtt://h", "certificates": "/c"}}, "no broker that units call"),
        ({"width": 641}, "641 is odd.*Try 642"),
        ({"sub": (641, 360)}, "641x360 cannot be coded"),
        ({"faults": ("freze_picture",)}, "Did you mean freeze_picture"),
        ({"faults": ("9:freeze_picture",)}, "names no camera"),
        ({"faults": ("x:freeze_picture",)}, "names no camera"),
        ({"faults": ("2:packet_loss=many",)}, "needs a number"),
        ({"cameras": 0}, "greater than or equal to 1"),
        ({"camera": 3}, "Extra inputs"),
    ],
)
def test_refusals(wrong: dict[str, Any], words: str) -> None:
    """What makes no sense is refused in words that name it."""
    with pytest.raises(ValidationError, match=words):
        BoroughSettings(**wrong)
