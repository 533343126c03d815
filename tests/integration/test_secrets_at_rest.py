"""The demo's sealed secrets, looked for in everything that it writes, says, shows and hands over: none is there."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest

from drivers.model import CameraTarget
from gateway.api.guard import PERMISSION_KEY
from gateway.db.device_passwords import DevicePasswords, PasswordRow
from gateway.db.devices import Devices
from gateway.db.engine import open_database, read_database, sqlite_url
from gateway.db.sealed import SEALED, SealedValues
from gateway.fleet.passwords import CONTEXT
from gateway.fleet.register import Register
from gateway.vault import KeyFile, Vault
from kernel.clock import SystemClock
from tests.e2e.conftest import PASSWORD, USER, Started
from tests.fakes.desk import filled
from tests.fakes.search import files, forms, found, processes, unpacked

ROOT = Path(__file__).parents[2]
CAMERAS = 2
UNITS = 1
ANSWERED_AT_LEAST = 14
"""GET routes of the demo that answer an administrator with something."""
FORMS = len(list(forms("x")))
pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("demo")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A demo that runs, its administrator, and what only its vault knows."""

    started: Started
    data_dir: Path
    admin: httpx.Client
    passwords: frozenset[str]
    """The cameras'."""
    secrets: frozenset[str]
    """All that lies sealed: those, and what authenticator applications have."""
    sealed: frozenset[bytes]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run a command on the demo's data."""
        environment = {**os.environ, "SIGHTLINE_SERVER__DATA_DIR": str(self.data_dir), "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, "-m", "gateway.cli", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            check=False,
        )

    def database(self) -> list[tuple[str, bytes]]:
        """Return the database's files as they lie on the disk now."""
        return list(files(*self.data_dir.glob("sightline.db*")))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`sightline demo` with everything logged, in which Anne has done what touches passwords."""
    data_dir = tmp_path_factory.mktemp("demo")
    started = Started(
        "demo",
        "--data-dir",
        str(data_dir),
        "--port",
        "0",
        "--cameras",
        str(CAMERAS),
        "--units",
        str(UNITS),
        "--log-level",
        "debug",
    )
    try:
        running = started.wait()
        headers = {"X-Sightline": "1", "Origin": running.url}
        with httpx.Client(base_url=running.url, headers=headers, timeout=60) as admin:
            body = {"code": running.code, "username": USER, "password": PASSWORD}
            admin.post("/api/v1/setup", json=body).raise_for_status()
            _add_factor(admin)
            _add_outlet(admin)
            asyncio.run(_put_password_on_its_way(data_dir))
            passwords, secrets, sealed = asyncio.run(_known(data_dir))
            demo = Demo(
                started=started, data_dir=data_dir, admin=admin, passwords=passwords, secrets=secrets, sealed=sealed
            )
            _handle_passwords(demo)
            yield demo
    finally:
        started.end()


async def _known(data_dir: Path) -> tuple[frozenset[str], frozenset[str], frozenset[bytes]]:
    """Return the cameras' passwords; every secret that lies sealed; and what they are sealed to."""
    vault = await asyncio.to_thread(Vault.of, KeyFile(data_dir, credentials=None))
    async with read_database(data_dir / "sightline.db") as database:
        targets = await Register(database, clock=SystemClock(), vault=vault).targets()
        async with database.read() as connection:
            values = [value async for value in SealedValues(connection).all()]
    secrets = frozenset([await vault.open(value.sealed, context=value.context) for value in values])
    passwords = {
        target.credentials.password.get_secret_value()
        for target in targets.values()
        if isinstance(target, CameraTarget)
    }
    assert len(passwords) == CAMERAS + UNITS, "each camera of the demo has a password of its own"
    assert {value.where.name for value in values} == {where.name for where in SEALED}, "each kind has one in the demo"
    return frozenset(passwords), secrets, frozenset(value.sealed for value in values)


async def _put_password_on_its_way(data_dir: Path) -> None:
    """Leave a camera between two passwords, as a link that died does: the second is kept beside the first.

    The last one: the first is enrolled anew, with which what was on its way to it is settled.
    """
    vault = await asyncio.to_thread(Vault.of, KeyFile(data_dir, credentials=None))
    async with (
        open_database(sqlite_url(data_dir / "sightline.db")) as database,
        database.write() as connection,
    ):
        device = max(one.id for one in await Devices(connection).devices())
        sealed = (await vault.sealer(connection)).seal("on its way to a camera", context=f"{CONTEXT}{device}")
        await DevicePasswords(connection).put(PasswordRow(device_id=device, next_sealed=sealed))


def _add_factor(admin: httpx.Client) -> None:
    """Enrol an authenticator application, whose secret has to come back out too."""
    offer = admin.post("/api/v1/session/factors/totp").raise_for_status().json()
    proof = {"ticket": offer["ticket"], "code": pyotp.TOTP(offer["secret"]).now()}
    admin.put("/api/v1/session/factors/totp", json=proof).raise_for_status()


def _add_outlet(admin: httpx.Client) -> None:
    """Give a share to a partner's own system, whose credential the camera hosts are told again and again."""
    camera = admin.get("/api/v1/cameras").raise_for_status().json()[0]["id"]
    force = admin.post("/api/v1/organisations", json={"name": "Thames Valley Police"}).raise_for_status().json()["id"]
    body = {"organisation": force, "cameras": [camera]}
    share = admin.post("/api/v1/shares", json=body).raise_for_status().json()["id"]
    admin.post(f"/api/v1/shares/{share}/outlets", json={"name": "VMS 2"}).raise_for_status()


def _handle_passwords(demo: Demo) -> None:
    """Enrol a camera again with its right and with others' passwords, look at it, watch it, move it to a new name."""
    first, second, *_ = demo.admin.get("/api/v1/cameras").json()
    one, *others = sorted(demo.passwords)
    for password in (one, *others):
        body = {"address": first["address"], "username": "sightline", "password": password}
        demo.admin.post("/api/v1/cameras/probe", json=body)
        demo.admin.post("/api/v1/cameras", json={**body, "name": "Again"})
    typed = first["address"].replace("://", f"://sightline:{one}@")
    assert demo.admin.post("/api/v1/cameras/probe", json={"address": typed}).status_code == 422
    demo.admin.patch(f"/api/v1/cameras/{second['id']}", json={"name": "Moved"}).raise_for_status()
    demo.admin.get(f"/api/v1/cameras/{second['id']}/snapshot").raise_for_status()
    demo.admin.get("/healthz")


def test_the_database_holds_no_camera_password(demo: Demo) -> None:
    """Neither its file nor its write-ahead log; both are looked at as they lie on the disk."""
    places = demo.database()
    assert {Path(name).name for name, _ in places} >= {"sightline.db", "sightline.db-wal"}
    assert b"urn:uuid:" in b"".join(content for _, content in places)
    assert found(places, demo.secrets) == []


def test_nothing_else_in_the_data_directory_holds_one(demo: Demo) -> None:
    """No file beside the database, recordings and their catalogue included."""
    places = list(files(demo.data_dir))
    assert any("recordings" in name for name, _ in places)
    assert found(places, demo.secrets) == []


def test_the_log_holds_none_at_its_most_talkative(demo: Demo) -> None:
    """What gateway, camera host and borough have printed, at level debug."""
    said = demo.started.said
    assert "camera.enrolled" in said
    assert '"level": "debug"' in said
    assert found([("log", said.encode())], demo.secrets) == []


def test_no_process_shows_one_to_its_neighbours(demo: Demo) -> None:
    """Neither command line nor environment of the demo and of what it started."""
    places = list(processes(demo.started.process.pid))
    assert len(places) >= 4, "the gateway and the borough"
    assert any(b"drivers.simulator" in content for _, content in places)
    assert found(places, demo.secrets) == []


def test_the_support_dump_holds_none(demo: Demo, tmp_path: Path) -> None:
    """Unpacked, and what the command prints; the log that goes in is the whole of it as events."""
    log = tmp_path / "sightline.log"
    event = {"event": "camera.retry", "detail": min(demo.passwords), "camera": "x", "attempt": 1}
    log.write_text(json.dumps(event) + "\n" + demo.started.said, encoding="utf-8")
    dump = tmp_path / "dump.tar.gz"
    done = demo.command("support", "--output", str(dump), "--log", str(log))
    assert done.returncode == 0, done.stderr
    places = [*unpacked(dump), ("printed", done.stdout + done.stderr)]
    told = dict(places)
    assert b'"event": "camera.retry"' in told["dump/log.jsonl"]
    assert len(json.loads(told["dump/cameras.json"])) == CAMERAS + UNITS
    assert found(places, demo.secrets) == []
    for sealed in demo.sealed:
        assert found(places, [sealed.hex()]) == []


def test_no_answer_of_the_api_shows_one(demo: Demo) -> None:
    """Every GET of the OpenAPI document as administrator: no password, no hash of one, nothing sealed."""
    document = demo.admin.get("/api/v1/openapi.json").json()
    answers = dict(_answers(demo, document))
    good = [name for name, answer in answers.items() if answer.is_success and answer.content]
    assert len(good) >= ANSWERED_AT_LEAST, {name: answer.status_code for name, answer in answers.items()}
    places = [(name, answer.content + str(answer.headers).encode()) for name, answer in answers.items()]
    assert found(places, demo.secrets) == []
    for sealed in demo.sealed:
        assert [name for name, content in places if sealed in content or sealed.hex().encode() in content] == []


def _answers(demo: Demo, document: dict[str, Any]) -> Iterator[tuple[str, httpx.Response]]:
    camera = demo.admin.get("/api/v1/cameras").json()[-1]["id"]
    (user,) = demo.admin.get("/api/v1/users").json()
    times = {"start": "2020-01-01T00:00:00Z", "end": "2190-01-01T00:00:00Z", "at": "2190-01-01T00:00:00Z"}
    for path, operations in document["paths"].items():
        if "get" not in operations or PERMISSION_KEY not in operations["get"]:
            continue
        asked = {one["name"] for one in operations["get"].get("parameters", []) if one["in"] == "query"}
        where = filled(path, camera_id=camera, user_id=user["id"], host="0", stream="main")
        query = {name: value for name, value in times.items() if name in asked}
        yield path, demo.admin.get(where, params={**query, "limit": "1000"} if "limit" in asked else query)


def test_keys_are_rotated_under_a_running_demo(demo: Demo, tmp_path: Path) -> None:
    """One command; the gateway goes on, opens what is sealed anew, and no old seal is left."""
    before = KeyFile(demo.data_dir, credentials=None).load()
    done = demo.command("keys", "rotate")
    assert done.returncode == 0, done.stderr
    assert demo.command("keys", "status").returncode == 0
    camera = demo.admin.get("/api/v1/cameras").json()[-1]
    demo.admin.patch(f"/api/v1/cameras/{camera['id']}", json={"name": "After"}).raise_for_status()
    _, secrets, sealed = asyncio.run(_known(demo.data_dir))
    assert secrets == demo.secrets
    assert not any(before.knows(text) for text in sealed)
    entries = demo.admin.get("/api/v1/audit", params={"action": "keys.rotated"}).json()["entries"]
    assert [entry["outcome"] for entry in entries] == ["done"]


@pytest.mark.parametrize("form", range(FORMS))
def test_the_search_would_find_one(demo: Demo, tmp_path: Path, form: int) -> None:
    """A password planted in any of its forms, into a copy of the database and of the log, is found."""
    secret = min(demo.passwords)
    planted = list(forms(secret))[form]
    name, content = max(demo.database(), key=lambda place: len(place[1]))
    middle = len(content) // 2
    (tmp_path / "planted.db").write_bytes(content[:middle] + planted + content[middle:])
    log = demo.started.said.encode() + planted
    assert found([*files(tmp_path), (name, content), ("log", log)], demo.secrets) == [
        str(tmp_path / "planted.db"),
        "log",
    ]
