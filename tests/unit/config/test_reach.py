"""How units are reached that cannot be where they say."""

from typing import Any

import pytest
from pydantic import ValidationError

from config.telemetry import ReachRule


@pytest.mark.parametrize(
    ("rule", "label", "host", "reached"),
    [
        ({"via": "203.0.113.7"}, "D017", "10.0.0.1", "203.0.113.7"),
        ({"network": "10.64.0.0/16", "via": "10.8.0.0/16"}, "D017", "10.64.3.4", "10.8.3.4"),
        ({"network": "10.64.0.0/16", "via": "10.8.0.0/16"}, "D017", "10.65.3.4", None),
        ({"network": "10.64.0.0/16", "via": "10.8.0.0/16"}, "D017", "unit.example", None),
        ({"network": "fd00::/64", "via": "fd01::/64"}, "D017", "fd00::17", "fd01::17"),
        ({"units": ("D018",), "via": "203.0.113.7"}, "D017", "10.0.0.1", None),
        ({"units": ("D017",), "ports": {80: 8017}}, "D017", "203.0.113.9", "203.0.113.9"),
    ],
)
def test_where_a_unit_is_reached(rule: dict[str, Any], label: str, host: str, reached: str | None) -> None:
    """By what it says and who it is; a rule that is not for it says nothing."""
    made = ReachRule(**rule)
    assert (made.host_for(host) if made.is_for(label, host) else None) == reached


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"units": ("D017",)},
        {"ports": {80: 8017}},
        {"via": "10.8.0.0/16"},
        {"network": "10.64.0.0/16", "via": "10.8.0.0/24"},
        {"network": "10.64.0.0/64", "via": "10.8.0.1"},
    ],
)
def test_what_makes_no_sense_is_refused(rule: dict[str, Any]) -> None:
    """When the settings are read, not when a unit first moves."""
    with pytest.raises(ValidationError):
        ReachRule(**rule)
