"""`sightline keys`: what it says, and what it ends with."""

import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.main import app
from gateway.vault import Key, KeyFile

RUN = CliRunner()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a configuration."""
    path = tmp_path / "sightline.toml"
    path.write_text(f'[server]\ndata_dir = "{tmp_path / "data"}"\n')
    return path


def keys(config: Path, *arguments: str) -> Result:
    """Run a command."""
    return RUN.invoke(app, ["keys", *arguments, "--config", str(config)])


def store(tmp_path: Path, key: Key) -> None:
    """Store a device whose password was sealed by a key."""
    with sqlite3.connect(tmp_path / "data" / "sightline.db") as connection:
        sealed = key.encrypt(b"hush", context=b"urn:1")
        row = ("d", "urn:1", "192.0.2.1", "root", sealed, "{}", "{}", 1)
        connection.execute("INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    connection.close()


def test_before_the_first_run_there_are_no_keys(config: Path, tmp_path: Path) -> None:
    """Asking makes none."""
    done = keys(config, "status")
    assert (done.exit_code, "There are no keys yet" in done.stderr) == (2, True)
    assert not (tmp_path / "data" / "sightline.key").exists()


def test_a_rotation_is_told_and_leaves_nothing_to_do(config: Path, tmp_path: Path) -> None:
    """How many secrets, which key; then the status is 0."""
    assert keys(config, "rotate").exit_code == 0
    store(tmp_path, KeyFile(tmp_path / "data", credentials=None).load().current)
    done = keys(config, "rotate")
    assert done.exit_code == 0
    assert "1 secrets are sealed anew" in done.output
    known = keys(config, "status")
    assert known.exit_code == 0
    assert "in the clear in its file" in known.output


def test_an_unfinished_rotation_is_told_and_finished(config: Path, tmp_path: Path) -> None:
    """The status is 1 until it is asked for again."""
    keys(config, "rotate")
    file = KeyFile(tmp_path / "data", credentials=None)
    (old,) = file.load().keys
    store(tmp_path, old)
    file.write((Key.new(), old))
    known = keys(config, "status")
    assert (known.exit_code, "is due" in known.output) == (1, True)
    done = keys(config, "rotate")
    assert "had been broken off" in done.output
    assert keys(config, "status").exit_code == 0


def test_a_secret_that_no_key_opens_is_named(config: Path, tmp_path: Path) -> None:
    """The rotation is done, and ends with 1."""
    keys(config, "rotate")
    store(tmp_path, Key(b"x" * 32))
    done = keys(config, "rotate")
    assert (done.exit_code, "devices.password_sealed of d" in done.stderr) == (1, True)


def test_a_credential_wraps_the_key(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given as systemd gives it, the next rotation wraps by it, and the status says by which."""
    keys(config, "rotate")
    (tmp_path / "sightline-key").write_text("6b" * 32)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert keys(config, "status").exit_code == 1
    assert keys(config, "rotate").exit_code == 0
    known = keys(config, "status")
    assert (known.exit_code, Key(b"k" * 32).name.hex() in known.output) == (0, True)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert "wrapped by a credential" in keys(config, "rotate").stderr
