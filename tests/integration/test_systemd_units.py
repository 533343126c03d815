"""The shipped units are sandboxed, and say what the command understands."""

import shutil
import subprocess
from pathlib import Path

import pytest

from config.loader import load
from config.settings import Settings
from gateway.hosting import Patience

UNITS = Path(__file__).parents[2] / "systemd"
SERVICES = ["sightline-gateway.service", "sightline-host@.service"]
SANDBOX = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateDevices": "yes",
    "PrivateUsers": "yes",
    "RestrictNamespaces": "yes",
    "CapabilityBoundingSet": "",
}


def section(unit: str, name: str) -> dict[str, list[str]]:
    """Return a unit file's section: each key with all its values, in order."""
    values: dict[str, list[str]] = {}
    inside = False
    for line in (UNITS / unit).read_text().splitlines():
        if line.startswith("["):
            inside = line == f"[{name}]"
        elif inside and "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            values.setdefault(key, []).append(value)
    return values


@pytest.mark.parametrize("unit", SERVICES)
def test_exposure_is_below_two(unit: str) -> None:
    """Systemd rates each unit's exposure below 2.0; where it is not installed, the sandbox is read from the file."""
    if shutil.which("systemd-analyze") is None:
        service = section(unit, "Service")
        assert {key: service[key][-1] for key in SANDBOX} == SANDBOX
        return
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=19", "--no-pager", str(UNITS / unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_host_lets_its_coders_step_back() -> None:
    """Of the calls that change a process's share of the machine the host's filter gives back setpriority alone."""
    filters = section("sightline-host@.service", "Service")["SystemCallFilter"]
    assert filters[-1] == "setpriority"
    assert any("@resources" in one for one in filters if one.startswith("~"))


@pytest.mark.parametrize("unit", SERVICES)
def test_readiness_watchdog_and_user(unit: str) -> None:
    """Each unit waits for readiness, is watched, restarted, and runs as a user of its own."""
    service = section(unit, "Service")
    assert service["Type"] == ["notify"]
    assert service["NotifyAccess"] == ["main"]
    assert 0 < int(service["WatchdogSec"][0]) <= 60
    assert service["Restart"] == ["always"]
    assert service["User"] == ["sightline"]


def test_the_key_of_stored_secrets_is_the_gateways_alone() -> None:
    """It is a credential of the unit that opens what is stored; camera hosts are told what they need."""
    gateway, host = (section(unit, "Service").get("LoadCredential", []) for unit in SERVICES)
    assert any(value.startswith("sightline-key:") for value in gateway)
    assert host == []


def test_the_gateway_leaves_the_hosts_to_systemd() -> None:
    """The gateway's unit says that it is not the supervisor, in a variable that the loader takes."""
    variables = dict(value.split("=", 1) for value in section("sightline-gateway.service", "Service")["Environment"])
    assert load(environment=variables) != Settings()
    assert load(environment=variables).hosts.supervisor == "systemd"


def test_the_gateway_is_as_patient_as_systemd() -> None:
    """A host is given the same time by either supervisor."""
    service = section("sightline-host@.service", "Service")
    assert Patience().watchdog_s == float(service["WatchdogSec"][0])
    assert Patience().start_s == float(service["TimeoutStartSec"][0])


def test_user_and_directories_belong_together() -> None:
    """The user the units run as is made by sysusers, and owns what tmpfiles makes."""
    assert "\nu sightline " in (UNITS / "sightline.sysusers").read_text()
    rows = [line.split() for line in (UNITS / "sightline.tmpfiles").read_text().splitlines() if line.startswith("d ")]
    assert {"/run/sightline", "/var/lib/sightline"} <= {row[1] for row in rows if row[3] == "sightline"}
    assert all(int(row[2], 8) & 0o007 == 0 for row in rows)
