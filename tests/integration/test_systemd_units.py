"""The shipped units are sandboxed, and say what the command understands."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from config.example import EXAMPLE
from config.loader import load
from config.settings import Settings
from gateway.hosting import Patience

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "systemd"
ADMINISTER = (ROOT / "docs" / "administer.md").read_text(encoding="utf-8")
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


def directories() -> dict[str, list[str]]:
    """Return what tmpfiles makes: each path with kind, mode, user and group."""
    lines = (UNITS / "sightline.tmpfiles").read_text().splitlines()
    return {row[1]: [row[0], *row[2:5]] for row in (line.split() for line in lines) if row[:1] == ["d"]}


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


@pytest.mark.parametrize("unit", SERVICES)
def test_whoever_records_lets_its_coders_step_back(unit: str) -> None:
    """Of the calls that change a process's share of the machine each filter gives back setpriority alone."""
    filters = section(unit, "Service")["SystemCallFilter"]
    assert filters[-1] == "setpriority"
    assert any("@resources" in one for one in filters if one.startswith("~"))


@pytest.mark.parametrize("unit", SERVICES)
def test_whoever_records_may_write_to_the_disks(unit: str) -> None:
    """A host, and the gateway where it is one: below the directory that tmpfiles makes and the documentation names."""
    assert section(unit, "Service")["ReadWritePaths"] == ["-/srv/sightline"]
    assert directories()["/srv/sightline"][1:] == ["0750", "sightline", "sightline"]
    disks = re.findall(r'\{ path = "([^"]+)"', ADMINISTER)
    assert disks
    assert all(path.startswith("/srv/sightline/") for path in disks)


@pytest.mark.parametrize("text", [EXAMPLE.read_text(encoding="utf-8"), ADMINISTER], ids=["example", "administer"])
def test_no_setting_names_a_file_that_only_systemd_can_read(text: str) -> None:
    """What lies in a directory of root's alone comes in as a credential, and is no value of a setting."""
    closed = [path for path, row in directories().items() if row[1:] == ["0700", "root", "root"]]
    assert closed == ["/etc/sightline/credentials"]
    named = re.findall(r'^(?:# )?[a-z_]+ = "(/[^"]+)"', text, flags=re.MULTILINE)
    assert named
    assert not [path for path in named for one in closed if path.startswith(one)]


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
    rows = directories()
    assert {"/run/sightline", "/var/lib/sightline"} <= {path for path, row in rows.items() if row[2] == "sightline"}
    assert all(int(row[1], 8) & 0o007 == 0 for row in rows.values())
