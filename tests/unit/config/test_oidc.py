"""Settings of providers of accounts."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from config.errors import BadValueError, UnknownKeyError
from config.handover import from_line, to_line
from config.loader import load
from config.oidc import OidcSettings
from config.redaction import redacted
from config.settings import Settings

GOOD: dict[str, Any] = {
    "id": "borough",
    "name": "your borough account",
    "issuer": "https://login.example.org",
    "client_id": "sightline",
    "groups": {"b": "operator", "a": "viewer"},
}
TABLE = """
[[oidc]]
id = "borough"
name = "your borough account"
issuer = "https://login.example.org"
client_id = "sightline"
groups = { "CCTV Operators" = "operator" }
"""


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example.org",
        "http://10.0.0.1",
        "login.example.org",
        "https://",
        "https://login.example.org?x=1",
        "https://login.example.org#x",
        "https://u:p@login.example.org",
        "ftp://login.example.org",
    ],
)
def test_an_issuer_is_https(issuer: str) -> None:
    """Or http on loopback; without a query, a fragment or a password (Discovery 3)."""
    with pytest.raises(ValidationError):
        OidcSettings(**(GOOD | {"issuer": issuer}))


@pytest.mark.parametrize("issuer", ["http://localhost:4000", "http://127.0.0.1", "http://[::1]:4000", "https://a/b/"])
def test_an_issuer_is_kept_as_it_is_written(issuer: str) -> None:
    """It is compared with what the provider says, sign by sign."""
    assert OidcSettings(**(GOOD | {"issuer": issuer})).issuer == issuer


def test_openid_is_always_asked_for() -> None:
    """Without that scope there is no ID token."""
    assert OidcSettings(**(GOOD | {"scopes": ("groups",)})).scopes == ("openid", "groups")


def test_groups_keep_their_order() -> None:
    """The first that fits decides, so the order is a setting."""
    assert list(OidcSettings(**GOOD).groups) == ["b", "a"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"groups": {}},
        {"id": "Borough"},
        {"require_two_factor": True, "two_factor_amr": ()},
        {"max_session_s": 10},
        {"clock_skew_s": 3600},
        {"hosts": ("https://x",)},
        {"scopes": ("a b",)},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    """Nobody could sign in, or what was meant is not what is written."""
    with pytest.raises(ValidationError):
        OidcSettings(**(GOOD | wrong))


@pytest.mark.parametrize("same", ["id", "issuer"])
def test_two_providers_differ(same: str) -> None:
    """In their names and in their issuers."""
    other = GOOD | {"id": "force", "issuer": "https://login.force.example"} | {same: GOOD[same]}
    with pytest.raises(ValidationError, match=f"same {same}"):
        Settings(oidc=(OidcSettings(**GOOD), OidcSettings(**other)))


def test_tables_are_read_from_the_file(tmp_path: Path) -> None:
    """Each [[oidc]] is a provider; an unknown key in one is named."""
    path = tmp_path / "s.toml"
    path.write_text(TABLE)
    assert load(path).oidc[0].groups == {"CCTV Operators": "operator"}
    path.write_text(TABLE + 'isuer = "x"\n')
    with pytest.raises(UnknownKeyError):
        load(path)
    path.write_text(TABLE.replace("https://", "http://"))
    with pytest.raises(BadValueError, match="must be https"):
        load(path)


def test_a_provider_is_handed_over_whole() -> None:
    """A camera host's process reads the settings again as they were."""
    settings = Settings(oidc=(OidcSettings(**(GOOD | {"client_secret_file": "/x/secret", "ca_file": "/x/ca"})),))
    assert from_line(to_line(settings)) == settings


def test_where_the_secret_lies_is_shown_and_the_secret_is_nowhere() -> None:
    """The settings hold a path alone."""
    shown = redacted(Settings(oidc=(OidcSettings(**(GOOD | {"client_secret_file": "/x/secret"})),)))
    assert shown["oidc"][0]["client_secret_file"] == "/x/secret"
