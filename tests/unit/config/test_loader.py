"""The loader names what is wrong."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import BadValueError, ConfigError, ConfigFileError, UnknownKeyError
from config.loader import known_keys, load
from config.settings import Settings


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Return a place for a configuration file."""
    return tmp_path / "sightline.toml"


def test_no_file_and_no_variables_give_the_defaults() -> None:
    """Everything has a default."""
    assert load() == Settings()


def test_a_file_is_read(written: Path) -> None:
    """What the file says counts."""
    written.write_text("[server]\nport = 9443\n[map]\ncentre = [51.5, -0.1]\n")
    settings = load(written)
    assert settings.server.port == 9443
    assert settings.map.centre == (51.5, -0.1)


def test_a_variable_overrides_the_file(written: Path) -> None:
    """SIGHTLINE_SECTION__KEY is stronger than the file."""
    written.write_text("[server]\nport = 9443\n")
    settings = load(written, {"SIGHTLINE_SERVER__PORT": "9444", "SIGHTLINE_SERVER__PLAIN_HTTP": "false"})
    assert settings.server.port == 9444


def test_a_list_comes_from_a_variable_as_json() -> None:
    """Lists and tables in variables are JSON."""
    settings = load(environment={"SIGHTLINE_CAMERAS__ALLOW_NETWORKS": '["169.254.0.0/16"]'})
    assert settings.cameras.allow_networks == ("169.254.0.0/16",)


def test_a_broken_json_variable_is_named() -> None:
    """A list that is not JSON is refused with the variable's name."""
    with pytest.raises(BadValueError, match="SIGHTLINE_CAMERAS__ALLOW_NETWORKS"):
        load(environment={"SIGHTLINE_CAMERAS__ALLOW_NETWORKS": "[oops"})


def test_the_command_s_own_variable_is_no_setting() -> None:
    """SIGHTLINE_CONFIG says which file, and is no key."""
    assert load(environment={"SIGHTLINE_CONFIG": "/x", "PATH": "/bin"}) == Settings()


def test_variables_of_other_tools_are_left_alone() -> None:
    """Only a name with a section is ours; one whose section nobody knows still fails by name."""
    assert load(environment={"SIGHTLINE_VERSION": "1.2", "SIGHTLINE_PORT": "tcp://192.0.2.1:1"}) == Settings()
    with pytest.raises(UnknownKeyError, match=r"sever"):
        load(environment={"SIGHTLINE_SEVER__PORT": "1"})


@pytest.mark.parametrize(
    ("text", "key", "near"),
    [
        ("[server]\nprot = 1\n", "server.prot", "server.port"),
        ("[sever]\nport = 1\n", "sever", "server"),
        ("[server]\nretention_days = 3\n", "server.retention_days", "recording.retention_days"),
        ("[recording]\nretention = 3\n", "recording.retention", "recording.retention_days"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_known_one(written: Path, text: str, key: str, near: str) -> None:
    """A slip of the pen is told together with what was probably meant."""
    written.write_text(text)
    with pytest.raises(UnknownKeyError) as caught:
        load(written)
    assert key in caught.value.message
    assert near in caught.value.cure


def test_an_unknown_key_far_from_all_points_to_the_example(written: Path) -> None:
    """Where nothing is near, the example is named."""
    written.write_text("[server]\nxyzzy_qqq = 1\n")
    with pytest.raises(UnknownKeyError, match=r"example\.toml"):
        load(written)


def test_several_unknown_keys_are_all_named(written: Path) -> None:
    """One run tells of all unknown keys."""
    written.write_text("[server]\nprot = 1\nhots = 2\n")
    with pytest.raises(UnknownKeyError, match=r"server\.prot, nor server\.hots"):
        load(written)


def test_an_unknown_variable_is_refused() -> None:
    """A misspelt variable does not pass in silence."""
    with pytest.raises(UnknownKeyError, match=r"server\.prot"):
        load(environment={"SIGHTLINE_SERVER__PROT": "1"})


def test_a_variable_below_a_value_is_refused(written: Path) -> None:
    """A variable cannot reach into something that is no table."""
    written.write_text("[server]\nport = 9443\n")
    with pytest.raises(UnknownKeyError, match=r"server\.port\.x"):
        load(written, {"SIGHTLINE_SERVER__PORT__X": "1"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server]\nport = 99999\n", "server.port"),
        ('[server]\nport = "many"\n', "server.port"),
        ('[server]\nplain_http = true\nhost = "0.0.0.0"\n', "plain_http is for loopback only"),
        ('[server]\ntls_key = "/k.pem"\n', "belong together"),
        ('[server]\npublic_urls = ["cctv.example.org"]\n', "is not an origin"),
        ('[cameras]\nallow_networks = ["a"]\n', "cameras.allow_networks"),
        ('[map]\ntiles_url = "ftp://x/{z}{x}{y}"\n', "http or https"),
        ('[map]\ntiles_url = "https://tiles.example.org/"\n', "{z}, {x} and {y}"),
        ('[log]\nlevel = "loud"\n', "log.level"),
        ("[live]\nport = 65534\n[hosts]\nworkers = 3\n", "too few ports for hosts.workers 3"),
        ("[server]\nport = 8191\n[hosts]\nworkers = 3\n", "among the ports 8189 to 8191"),
    ],
)
def test_a_bad_value_is_named_with_its_key(written: Path, text: str, said: str) -> None:
    """What is wrong with a value stands in the error."""
    written.write_text(text)
    with pytest.raises(BadValueError) as caught:
        load(written)
    assert said in caught.value.message
    assert str(written) in caught.value.message


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """A file that is not there is an error, not defaults."""
    with pytest.raises(ConfigFileError, match="There is no configuration file"):
        load(tmp_path / "none.toml")


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    """What cannot be read is told."""
    with pytest.raises(ConfigFileError, match="cannot be read"):
        load(tmp_path)


@pytest.mark.parametrize("body", [b"[server\n", b"\xff\xfe", b"port 3\n"])
def test_what_is_not_toml_is_told(written: Path, body: bytes) -> None:
    """A broken file is an error with its reason."""
    written.write_bytes(body)
    with pytest.raises(ConfigFileError, match="is not TOML"):
        load(written)


@given(st.dictionaries(st.sampled_from(sorted(known_keys())), st.text(max_size=12), max_size=3))
def test_any_text_as_any_value_is_settings_or_a_plain_error(values: dict[str, str]) -> None:
    """Whatever a variable holds, the answer is settings or a ConfigError."""
    environment = {f"SIGHTLINE_{key.replace('.', '__').upper()}": value for key, value in values.items()}
    with suppress(ConfigError):
        assert load(environment=environment).server
