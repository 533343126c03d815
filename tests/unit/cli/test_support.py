"""`sightline support` tells what helps and nothing else, whatever state the installation is in."""

import json
import sqlite3
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.support.lines import HIDDEN, shown

RUN = CliRunner()
PASSWORD = "four unrelated words here"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a configuration with a secret in it, of an installation that was never started."""
    path = tmp_path / "sightline.toml"
    path.write_text(
        f'[server]\ndata_dir = "{tmp_path / "data"}"\n'
        '[live]\nturn_urls = ["turn:turn.example.org"]\nturn_secret = "a secret of coturn"\n'
    )
    return path


def dump(config: Path, tmp_path: Path, *more: str) -> dict[str, str]:
    """Make a support dump and return its files by name."""
    path = tmp_path / "dump.tar.gz"
    done = RUN.invoke(app, ["support", "--config", str(config), "--output", str(path), *more])
    assert done.exit_code == 0, done.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as tar:
        files = {name: tar.extractfile(name) for name in tar.getnames()}
        return {name.partition("/")[2]: file.read().decode() for name, file in files.items() if file is not None}


def started(config: Path) -> None:
    """Make the database, with a person in it."""
    typed = f"{PASSWORD}\n{PASSWORD}\n"
    arguments = ["users", "add", "anne.example", "--name", "Anne Example", "--config", str(config)]
    assert RUN.invoke(app, arguments, input=typed).exit_code == 0


def test_an_installation_that_never_ran_is_told_as_that(config: Path, tmp_path: Path) -> None:
    """What cannot be looked at says why; the rest is there, and nothing is made by asking."""
    told = dump(config, tmp_path)
    assert json.loads(told["versions.json"])["libraries"]["fastapi"]
    assert "There is no database" in json.loads(told["database.json"])["unknown"]
    assert json.loads(told["hosts.json"])[0]["state"] == "down"
    assert not (tmp_path / "data").exists()


def test_the_settings_are_told_without_their_secrets(config: Path, tmp_path: Path) -> None:
    """As `check-config --show` tells them."""
    told = dump(config, tmp_path)
    assert json.loads(told["configuration.json"])["live"]["turn_urls"] == ["turn:turn.example.org"]
    assert "a secret of coturn" not in str(told)


def test_the_database_is_counted_and_nobody_is_named(config: Path, tmp_path: Path) -> None:
    """Tables, columns and rows; not what is in them."""
    started(config)
    told = dump(config, tmp_path)
    users = json.loads(told["database.json"])["tables"]["users"]
    assert users["rows"] == 1
    assert "password_hash" in users["columns"]
    assert not any(word in str(told) for word in ("anne", "Anne", "argon2id"))
    checks = {check["check"]: check for check in json.loads(told["checks.json"])}
    assert checks["database"]["sound"]
    assert not checks["keys"]["sound"], "no gateway has run: there is no key"


def test_a_database_of_another_version_is_told_and_left_alone(config: Path, tmp_path: Path) -> None:
    """Looking is not migrating."""
    started(config)
    database = tmp_path / "data" / "sightline.db"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    told = dump(config, tmp_path)
    (check,) = [check for check in json.loads(told["checks.json"]) if check["check"] == "database"]
    assert (check["sound"], "0000" in check["said"]) == (False, True)
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0000",)
    connection.close()


def test_a_file_that_is_there_is_not_overwritten(config: Path, tmp_path: Path) -> None:
    """Nor is a link followed."""
    (tmp_path / "dump.tar.gz").write_text("mine")
    done = RUN.invoke(app, ["support", "--config", str(config), "--output", str(tmp_path / "dump.tar.gz")])
    assert (done.exit_code, "is there already" in done.stderr) == (1, True)
    assert (tmp_path / "dump.tar.gz").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_told(config: Path, tmp_path: Path) -> None:
    """In one sentence."""
    done = RUN.invoke(app, ["support", "--config", str(config), "--output", str(tmp_path / "none" / "a.tar.gz")])
    assert (done.exit_code, "cannot be written" in done.stderr) == (1, True)


def test_a_log_that_is_not_there_is_told(config: Path, tmp_path: Path) -> None:
    """The rest of the dump is made all the same."""
    assert "unknown" in dump(config, tmp_path, "--log", str(tmp_path / "none.log"))["log.jsonl"]


def lines(*events: Any) -> list[dict[str, Any]]:
    """Return log lines as they are shown."""
    return [json.loads(line) for line in shown(json.dumps(event) for event in events)]


def test_a_log_line_keeps_what_happened_and_hides_who() -> None:
    """Words of our own and numbers stay; every other text is hidden, also in a key that nobody has listed."""
    (line,) = lines(
        {"event": "http.request", "status": 200, "path": "/healthz", "user": "anne", "address": "10.0.0.1", "new": "x"}
    )
    assert line == {
        "event": "http.request", "status": 200, "path": "/healthz", "user": HIDDEN, "address": HIDDEN, "new": HIDDEN
    }  # fmt: skip


def test_a_traceback_keeps_its_places_and_kind() -> None:
    """Its words may quote anything."""
    trace = (
        "Traceback (most recent call last):\n"
        '  File "/opt/sightline/gateway/api/cameras.py", line 7, in enrol\n'
        "    check(password)\n"
        "kernel.errors.SightlineError: hush is wrong"
    )
    (line,) = lines({"event": "bug", "exception": trace})
    assert line["exception"] == ["api/cameras.py:7 enrol", "kernel.errors.SightlineError"]


def test_what_is_no_event_is_counted_and_left_out() -> None:
    """A library's own line may hold anything."""
    told = list(shown(["uvicorn: hush", "[1]", '{"event": 3}', '{"event": "a"}']))
    assert [json.loads(line) for line in told] == [{"event": "a"}, {"event": "support.left_out", "lines": 3}]


def test_only_the_newest_lines_go_in() -> None:
    """A year of logs is nobody's help."""
    told = list(shown((json.dumps({"event": "a", "n": number}) for number in range(10)), newest=2))
    assert [json.loads(line)["n"] for line in told] == [8, 9]
