"""The command: helpful, plain about what is wrong, and right in its exit codes."""

import re
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app

RUN = CliRunner()
PASSWORD = "four unrelated words here"
COMMANDS = ["run", "demo", "simulate", "check-config", "users", "verify", "version"]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a configuration over an empty directory."""
    path = tmp_path / "sightline.toml"
    path.write_text(f'[server]\nhost = "127.0.0.1"\nplain_http = true\ndata_dir = "{tmp_path / "data"}"\n')
    return path


def test_help_names_every_command() -> None:
    """And hides what is the service manager's."""
    said = RUN.invoke(app, ["--help"]).output
    for command in COMMANDS:
        assert command in said
    assert not re.search(r"^\s+host\b", said, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str) -> None:
    """Without a traceback, and with more than its name."""
    result = RUN.invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 5


def test_the_version_is_a_version() -> None:
    """One line."""
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", RUN.invoke(app, ["version"]).output)


def test_the_shipped_example_is_good() -> None:
    """It checks out, and its settings can be shown."""
    result = RUN.invoke(app, ["check-config", "--config", "config/example.toml", "--show"])
    assert result.exit_code == 0
    assert '"port": 8443' in result.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server]\nprot = 1\n", "Did you mean server.port?"),
        ("[server]\nport = 99999\n", "server.port"),
        ("[server\n", "is not TOML"),
        ('[server]\ntls_certificate = "/none.pem"\ntls_key = "/none.key"\n', "/none.pem cannot be read"),
    ],
)
def test_a_wrong_configuration_ends_with_78_and_a_sentence(config: Path, text: str, said: str) -> None:
    """So that the service manager does not try again, and a person knows what to mend."""
    config.write_text(text)
    result = RUN.invoke(app, ["check-config", "--config", str(config)])
    assert result.exit_code == 78
    assert said in result.stderr.replace("\n", " ")
    assert "Traceback" not in result.output


def test_a_missing_configuration_is_told() -> None:
    """A path that is named must exist."""
    result = RUN.invoke(app, ["run", "--config", "/none.toml"])
    assert result.exit_code == 78
    assert "There is no configuration file /none.toml" in result.stderr


def test_a_host_that_is_not_configured_is_refused(config: Path) -> None:
    """hosts.workers says how many there are."""
    result = RUN.invoke(app, ["host", "--name", "3", "--config", str(config)])
    assert result.exit_code == 78
    assert "There is no camera host 3" in result.stderr


def test_nonsense_cannot_be_simulated() -> None:
    """An unknown fault is told with the nearest known one, a bad size too."""
    result = RUN.invoke(app, ["simulate", "--fault", "freeze_pictur"])
    assert result.exit_code == 78
    assert "Did you mean freeze_picture?" in result.stderr
    assert RUN.invoke(app, ["simulate", "--size", "big"]).exit_code == 78


def test_units_need_certificates() -> None:
    """Units are not simulated at a broker without the folder of their certificates, or with a fault that none has."""
    result = RUN.invoke(app, ["simulate", "--units", "1", "--units-broker", "mqtts://127.0.0.1"])
    assert result.exit_code == 78
    assert "--units-certificates" in result.stderr
    result = RUN.invoke(app, ["simulate", "--units", "1", "--fault", "unit:stollen"])
    assert result.exit_code == 78
    assert "Did you mean stolen?" in result.stderr


def test_a_demo_with_a_strange_log_level_is_refused(tmp_path: Path) -> None:
    """Before anything is made."""
    result = RUN.invoke(app, ["demo", "--data-dir", str(tmp_path / "d"), "--log-level", "loud"])
    assert result.exit_code == 78
    assert not (tmp_path / "d").exists()


def users(config: Path, *arguments: str, typed: str = "") -> str:
    """Run `sightline users` and return what it says."""
    result = RUN.invoke(app, ["users", *arguments, "--config", str(config)], input=typed)
    assert result.exit_code == 0, result.output
    return str(result.output)


def test_users_are_kept_from_the_machine_itself(config: Path) -> None:
    """Added, listed, disabled, enabled, changed, given a new password, removed."""
    twice = f"{PASSWORD}\n{PASSWORD}\n"
    assert "no users yet" in users(config, "list")
    assert re.search(r"^(\w{4}-){3}\w{4}$", users(config, "code"), re.MULTILINE)
    users(config, "add", "root", "--role", "administrator", typed=twice)
    users(config, "add", "olga", "--name", "Olga", typed=twice)
    users(config, "disable", "olga")
    assert "disabled" in users(config, "list")
    users(config, "enable", "olga")
    users(config, "set-role", "olga", "viewer")
    users(config, "reset-password", "olga", typed=twice)
    assert re.search(r"^(\w{4}-){3}\w{4}$", users(config, "code", "olga"), re.MULTILINE)
    assert "viewer" in users(config, "list")
    assert "password alone" in users(config, "reset-factors", "olga")
    users(config, "remove", "olga", "--yes")
    assert "olga" not in users(config, "list")


def test_what_may_not_be_done_to_users_is_told(config: Path) -> None:
    """The last administrator, a weak password, an unknown user."""
    users(config, "add", "root", "--role", "administrator", typed=f"{PASSWORD}\n{PASSWORD}\n")
    for arguments, typed, said in (
        (["disable", "root"], "", "nobody who can administer"),
        (["disable", "eve"], "", "no user called eve"),
        (["add", "eve"], "short\nshort\n", "shorter than 12"),
        (["code"], "", "set up already"),
    ):
        result = RUN.invoke(app, ["users", *arguments, "--config", str(config)], input=typed)
        assert result.exit_code == 1
        assert said in result.stderr


def test_a_disabled_user_gets_no_code(config: Path) -> None:
    """It would not work."""
    twice = f"{PASSWORD}\n{PASSWORD}\n"
    users(config, "add", "root", "--role", "administrator", typed=twice)
    users(config, "add", "olga", typed=twice)
    users(config, "disable", "olga")
    result = RUN.invoke(app, ["users", "code", "olga", "--config", str(config)])
    assert (result.exit_code, "is disabled" in result.stderr) == (1, True)


def test_verify_finds_an_altered_audit(config: Path, tmp_path: Path) -> None:
    """0 while it is sound, 1 once somebody has been at it; recordings are read as well."""
    users(config, "add", "root", "--role", "administrator", typed=f"{PASSWORD}\n{PASSWORD}\n")
    sound = RUN.invoke(app, ["verify", "--config", str(config)])
    assert sound.exit_code == 0, sound.output
    assert "audit: 1 entries, held against 0 checkpoints, all as written." in sound.output
    assert "recordings: 0 files" in sound.output
    connection = sqlite3.connect(tmp_path / "data" / "sightline.db")
    connection.executescript("DROP TRIGGER audit_entries_no_update; UPDATE audit_entries SET actor_id = 'eve';")
    connection.close()
    broken = RUN.invoke(app, ["verify", "--audit", "--config", str(config)])
    assert broken.exit_code == 1
    assert "Entry 1 was altered." in broken.output
