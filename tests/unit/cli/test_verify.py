"""`sightline verify` holds the audit against checkpoints kept elsewhere, and logs of deployments against the audit."""

import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.audit.checkpoints import Signer
from gateway.audit.key import FILE
from gateway.audit.tree import Edge
from gateway.cli.main import app

RUN = CliRunner()
SEED = b"k" * 32
ORIGIN = "sightline/audit"
KEY = Signer(ORIGIN, SEED).public
PASSWORD = "four unrelated words here"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data directory with an audit of one entry and the key of its checkpoints."""
    data = tmp_path / "data"
    (tmp_path / "sightline.toml").write_text(
        f'[server]\nhost = "127.0.0.1"\nplain_http = true\ndata_dir = "{data}"\n', encoding="utf-8"
    )
    typed = f"{PASSWORD}\n{PASSWORD}\n"
    added = ["users", "add", "root", "--role", "administrator", "--config", str(tmp_path / "sightline.toml")]
    result = RUN.invoke(app, added, input=typed)
    assert result.exit_code == 0, result.output
    (data / FILE).write_text(SEED.hex(), encoding="utf-8")
    (data / FILE).chmod(0o600)
    return data


def verify(data: Path, *options: str, what: str = "--audit") -> Result:
    """Run the command."""
    config = data.with_name("sightline.toml")
    return RUN.invoke(app, ["verify", what, "--config", str(config), *options])


def note(data: Path, *, seed: bytes = SEED) -> str:
    """Return a checkpoint of the log as it stands."""
    connection = sqlite3.connect(data / "sightline.db")
    ((size, edge),) = connection.execute("SELECT size, edge FROM audit_tree").fetchall()
    connection.close()
    return Signer(ORIGIN, seed).sign(size=size, root=Edge.unpack(size, edge).root)


def cut(data: Path) -> None:
    """Empty the log so that it looks whole."""
    connection = sqlite3.connect(data / "sightline.db")
    connection.executescript(
        "DROP TRIGGER audit_entries_no_delete; DELETE FROM audit_entries; DELETE FROM audit_personal;"
        "UPDATE audit_tree SET size = 0, edge = x'';"
    )
    connection.close()


def test_a_cut_log_is_found_by_a_checkpoint_from_outside(data: Path, tmp_path: Path) -> None:
    """The log alone says nothing; with the witness's copy the command ends with 1 and names what is missing."""
    kept = tmp_path / "witness"
    kept.write_text(note(data), encoding="utf-8")
    sound = verify(data, "--checkpoint", str(kept))
    assert (sound.exit_code, "held against 1 checkpoints, all as written" in sound.output) == (0, True), sound.output
    cut(data)
    assert verify(data).exit_code == 0
    broken = verify(data, "--checkpoint", str(kept))
    assert broken.exit_code == 1
    assert "A checkpoint tells of 1 entries: Entry 1 is missing at the end." in broken.output


def test_the_gateways_own_checkpoints_are_taken_without_asking(data: Path) -> None:
    """They lie beside the log; the key that signs them is printed, to be noted elsewhere."""
    (data / "audit-checkpoints").write_text(note(data), encoding="utf-8")
    assert "held against 1 checkpoints" in verify(data).output
    assert KEY.text in verify(data).output
    cut(data)
    assert verify(data).exit_code == 1


def test_a_checkpoint_that_another_key_signed_is_told(data: Path, tmp_path: Path) -> None:
    """Unless that key is named: an intruder who replaced key and checkpoints is found by the key noted elsewhere."""
    kept = tmp_path / "witness"
    kept.write_text(note(data, seed=b"x" * 32), encoding="utf-8")
    result = verify(data, "--checkpoint", str(kept))
    assert result.exit_code == 1
    assert "not signed by the key" in result.output
    named = Signer(ORIGIN, b"x" * 32).public.text
    assert verify(data, "--checkpoint", str(kept), "--checkpoint-key", named).exit_code == 0


def test_a_file_without_checkpoints_is_no_proof(data: Path, tmp_path: Path) -> None:
    """Nothing was held against it."""
    kept = tmp_path / "witness"
    kept.write_text("", encoding="utf-8")
    result = verify(data, "--checkpoint", str(kept))
    assert result.exit_code == 1
    assert "there is no checkpoint in it" in result.output


def test_what_cannot_be_checked_is_told_plainly(data: Path, tmp_path: Path) -> None:
    """A file that is not there, a line that is no key, and no key at all."""
    assert "cannot be read" in verify(data, "--checkpoint", str(tmp_path / "none")).stderr
    assert "not the public key" in verify(data, "--checkpoint-key", "nonsense").stderr
    (data / "audit-checkpoints").write_text(note(data), encoding="utf-8")
    (data / FILE).unlink()
    missing = verify(data)
    assert "There is no key here" in missing.stderr
    assert missing.exit_code != 0


def add_line(data: Path) -> None:
    """Slip a deployment with one line past the audit."""
    connection = sqlite3.connect(data / "sightline.db")
    connection.executescript(
        "INSERT INTO deployments (id, stage, urn, changed_ns, entries, record)"
        " VALUES ('d1', 'referred', '', 1, 1, '{}');"
        "INSERT INTO deployment_entries (deployment_id, n, at_ns, done_ns, doubt, step, user_id, name, said, digest)"
        " VALUES ('d1', 1, 1, 1, '', 'referred', 'u1', 'Ann', '{}', 'x');"
    )
    connection.close()


def test_a_deployments_line_that_the_audit_does_not_know_is_told(data: Path) -> None:
    """The audit alone is as written; held against it, the log of the deployment is not, and the command ends with 1."""
    sound = verify(data, what="--deployments")
    assert (sound.exit_code, "deployments: 0 logs, 0 lines, all as the audit has them." in sound.output) == (0, True)
    assert "audit: 1 entries" in sound.output
    assert "recordings:" not in sound.output
    add_line(data)
    assert verify(data).exit_code == 0
    broken = verify(data, what="--deployments")
    assert broken.exit_code == 1
    assert "deployments: 1 logs, 1 lines, NOT as the audit has them:" in broken.output
    assert "Deployment d1: line 1 is unknown to the audit." in broken.output


def test_logs_held_against_an_audit_that_was_cut_are_no_proof(data: Path, tmp_path: Path) -> None:
    """The audit is checked with them, and ends the command with 1 by itself."""
    kept = tmp_path / "witness"
    kept.write_text(note(data), encoding="utf-8")
    cut(data)
    result = verify(data, "--checkpoint", str(kept), what="--deployments")
    assert result.exit_code == 1
    assert "all as the audit has them" in result.output
    assert "Entry 1 is missing at the end." in result.output
