"""Units as Home Assistant finds them: device-based MQTT discovery, as it is since 2024.11.

One message for each unit, kept by the broker, with an entry for each thing that it tells; an empty one removes it. It
points to the unit's own topics (``gateway.telemetry.topics``): whoever reads it must be let read those as well. Names
of keys are abbreviated as Home Assistant knows them: a packet at the units' broker has 4,608 bytes at most. Nothing
that people typed of a unit is in it.
"""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from gateway.telemetry.topics import Branch, Topic

ORIGIN = "Sightline"
OFF_AFTER_S = 60
"""An event turns its entry on, for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a unit. ``value`` is of the message's values; ``options`` are Home Assistant's."""

    id: str
    platform: str
    name: str
    branch: Branch
    kind: str
    value: str = ""
    template: str = ""
    """In place of ``value``."""
    options: dict[str, Any]


def _measure(id_: str, name: str, kind: str, value: str, **options: Any) -> Entry:
    return Entry(
        id=id_,
        platform="sensor",
        name=name,
        branch=Branch.STATE,
        kind=kind,
        value=value,
        options={"stat_cla": "measurement", **options},
    )


def _yes(id_: str, name: str, kind: str, value: str, device_class: str) -> Entry:
    return Entry(
        id=id_,
        platform="binary_sensor",
        name=name,
        branch=Branch.STATE,
        kind=kind,
        template=f"{{{{ 'ON' if value_json.{value} else 'OFF' }}}}",
        options={"dev_cla": device_class},
    )


def _happens(id_: str, name: str, kind: str, device_class: str) -> Entry:
    return Entry(
        id=id_,
        platform="binary_sensor",
        name=name,
        branch=Branch.EVENT,
        kind=kind,
        template="ON",
        options={"dev_cla": device_class, "off_dly": OFF_AFTER_S},
    )


_DISK = "{{ (100 * value_json.free_bytes / value_json.size_bytes) | round(1) if value_json.size_bytes else None }}"
_PLACE = (
    "{{ {'latitude': value_json.latitude, 'longitude': value_json.longitude, "
    "'gps_accuracy': value_json.accuracy_m} | tojson }}"
)
ENTRIES = (
    _measure("battery", "Battery", "battery", "percent", dev_cla="battery", unit_of_meas="%"),
    _yes("charging", "Charging", "battery", "charging", "battery_charging"),
    Entry(
        id="supply",
        platform="sensor",
        name="Supply",
        branch=Branch.STATE,
        kind="supply",
        value="source",
        options={"dev_cla": "enum", "ops": ["mains", "battery", "solar"]},
    ),
    _measure("signal", "Signal", "signal", "rsrp_dbm", dev_cla="signal_strength", unit_of_meas="dBm"),
    _measure("temperature", "Temperature", "temperature", "celsius", dev_cla="temperature", unit_of_meas="°C"),
    _measure("pitch", "Pitch", "tilt", "pitch_deg", unit_of_meas="°"),
    _measure("roll", "Roll", "tilt", "roll_deg", unit_of_meas="°"),
    Entry(
        id="disk",
        platform="sensor",
        name="Disk free",
        branch=Branch.STATE,
        kind="disk",
        template=_DISK,
        options={"unit_of_meas": "%"},
    ),
    _yes("case", "Case", "case", "open", "opening"),
    _happens("tamper", "Tamper", "tamper", "tamper"),
    _happens("shock", "Shock", "shock", "vibration"),
    _happens("moved", "Moved", "moved", "moving"),
    Entry(
        id="place",
        platform="device_tracker",
        name="Place",
        branch=Branch.STATE,
        kind="position",
        template=_PLACE,
        options={"src_type": "gps"},
    ),
)
"""Everything that a unit tells and that Home Assistant has a place for."""


class Discovery(BaseModel):
    """A unit as Home Assistant finds it (MQTT discovery of devices); an empty payload removes it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    dev: dict[str, str | list[str]]
    """The device: identifiers, name, serial number, firmware."""
    o: dict[str, str]
    """Who says so: Sightline, with its version."""
    avty_t: str
    """Topic that says whether the unit is there."""
    avty_tpl: str
    """How to read that."""
    qos: Literal[1]
    cmps: dict[str, dict[str, str | int | list[str]]]
    """An entry for each thing that the unit tells: platform, name, topic, template, class."""


def topic(label: str, prefix: str) -> str:
    """Return the topic of a unit's discovery."""
    return f"{prefix}/device/sightline_{label}/config"


def payload(label: str, *, serial: str, firmware: str, version: str) -> str:
    """Return what Home Assistant is told of a unit; ``version`` is Sightline's own."""
    device = {"ids": [f"sightline_{label}"], "name": label, "sn": serial, "sw": firmware}
    told: dict[str, Any] = {
        "dev": {key: value for key, value in device.items() if value},
        "o": {"name": ORIGIN, "sw": version},
        "avty_t": str(Topic(label, Branch.ONLINE)),
        "avty_tpl": "{{ 'online' if value_json.online else 'offline' }}",
        "qos": 1,
        "cmps": {entry.id: _component(label, entry) for entry in ENTRIES},
    }
    return Discovery.model_validate(told).model_dump_json()


def _component(label: str, entry: Entry) -> dict[str, Any]:
    at = str(Topic(label, entry.branch, entry.kind))
    template = entry.template or f"{{{{ value_json.{entry.value} }}}}"
    tracks = entry.platform == "device_tracker"
    where = {"json_attr_t": at, "json_attr_tpl": template} if tracks else {"stat_t": at, "val_tpl": template}
    return {
        "p": entry.platform,
        "name": entry.name,
        "uniq_id": f"sightline_{label}_{entry.id}",
        **where,
        **entry.options,
    }
