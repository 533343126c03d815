"""The ICE servers that viewers are told of, and what opens a relay to them."""

import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from structlog.testing import capture_logs

from config.live import IceServer, LiveSettings
from gateway.access.identity import Identity
from gateway.access.permissions import Role
from gateway.api.turn import Told, links, relay_credential, servers_named
from kernel.clock import NS_PER_S

SECRET = "0123456789abcdef0123456789abcdef"
NOW_S = 1_790_000_000
WHO = Identity(user_id="u1", username="ann", name="Ann", role=Role.VIEWER, session="s1")


def _settings(**values: object) -> LiveSettings:
    return LiveSettings.model_validate(values)


def _named(header: str) -> list[dict[str, str]]:
    """Return the links of a header, as a careful reader takes them apart (RFC 8288 section 3)."""
    found = []
    for url, rest in re.findall(r'<([^>]*)>((?:; [a-z-]+="(?:[^"\\]|\\.)*")*)', header):
        fields = {
            name: re.sub(r"\\(.)", r"\1", value) for name, value in re.findall(r'([a-z-]+)="((?:[^"\\]|\\.)*)"', rest)
        }
        found.append({"url": url, **fields})
    return found


def test_the_credential_is_the_one_that_coturn_reckons() -> None:
    """User name with its end before the colon, password as HMAC-SHA1 of it in Base64, as OpenSSL has it."""
    username, password = relay_credential("north", until_s=1433895918, name="ann")
    assert username == "1433895918:ann"
    # printf 1433895918:ann | openssl dgst -sha1 -hmac north -binary | base64
    assert password == "zAlhH20kpuDJR8ZKdq5vyQV+Ung="


def test_nothing_is_told_by_default() -> None:
    """Where no server is configured a viewer asks nobody anything, and the console does not even ask us."""
    assert links(LiveSettings(), WHO, wall_ns=0) == {}
    assert not servers_named(LiveSettings())


def test_each_viewer_gets_a_credential_of_its_own_for_every_relay() -> None:
    """It holds for the configured time, opens all of the relays, is never given twice, and names nobody to coturn."""
    urls = ["turn:turn.example.org:3478?transport=udp", "turns:turn.example.org:5349?transport=tcp"]
    settings = _settings(turn_urls=urls, turn_secret=SECRET, turn_ttl_s=600)
    told = [_named(links(settings, WHO, wall_ns=NOW_S * NS_PER_S)["Link"]) for _ in range(2)]
    for servers in told:
        assert [server["url"] for server in servers] == urls
        assert len({(server["username"], server["credential"]) for server in servers}) == 1
        username, credential = servers[0]["username"], servers[0]["credential"]
        until, name = username.split(":")
        assert int(until) == NOW_S + 600
        assert (username, credential) == relay_credential(SECRET, until_s=int(until), name=name)
        assert servers[0]["rel"] == "ice-server"
        assert servers[0]["credential-type"] == "password"
    assert told[0][0]["username"] != told[1][0]["username"]
    assert "ann" not in str(told)
    assert servers_named(settings)


def test_the_log_says_whose_a_relay_is_and_no_secret() -> None:
    """Coturn's log has a name that ours can be asked about; the credential stands in neither."""
    settings = _settings(turn_urls=["turn:t.example.org"], turn_secret=SECRET)
    with capture_logs() as logs:
        header = links(settings, WHO, wall_ns=NOW_S * NS_PER_S)["Link"]
    (server,) = _named(header)
    (entry,) = [entry for entry in logs if entry["event"] == "live.relay_named"]
    assert (entry["user"], entry["relay"]) == ("ann", server["username"].partition(":")[2])
    assert server["credential"] not in str(logs)
    assert SECRET not in str(logs) + header + str(settings)


def test_configured_servers_are_told_as_they_are() -> None:
    """STUN servers, and TURN servers with credentials of their own, stand before ours."""
    servers = [
        {"url": "stun:stun.example.org:3478"},
        {"url": "turn:other.example.org", "username": 'a"b\\c', "credential": "d, e; f"},
    ]
    settings = _settings(ice_servers=servers, turn_urls=["turn:t.example.org"], turn_secret=SECRET)
    told = _named(links(settings, WHO, wall_ns=0)["Link"])
    assert told[0] == {"url": "stun:stun.example.org:3478", "rel": "ice-server"}
    assert (told[1]["username"], told[1]["credential"]) == ('a"b\\c', "d, e; f")
    assert [server["url"] for server in told] == [servers[0]["url"], servers[1]["url"], "turn:t.example.org"]


@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40))
def test_whatever_a_credential_is_it_comes_out_of_the_header_whole(text: str) -> None:
    """Quotation marks, commas and backslashes are quoted as HTTP does it."""
    told = Told(url="turn:t.example.org", username=text, credential=text).link
    (server,) = _named(told)
    assert (server["username"], server["credential"]) == (text, text)
    assert text not in repr(Told(url="turn:t", credential="x" + text)) or len(text) < 30


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"turn_urls": ["turn:t.example.org"]}, "turn_secret"),
        ({"turn_urls": ["turn:t.example.org"], "turn_secret": "short"}, "16"),
        ({"turn_urls": ["stun:t.example.org"], "turn_secret": SECRET}, "turn_urls"),
        ({"turn_urls": ["turn:t.example.org>; x"], "turn_secret": SECRET}, "turn_urls"),
        ({"turn_ttl_s": 5}, "turn_ttl_s"),
        ({"ice_servers": [{"url": "turn:t.example.org"}]}, "turn_secret"),
        ({"ice_servers": [{"url": "stun:t.example.org", "username": "a\r\nX: y"}]}, "ASCII"),
        ({"addresses": ["::"]}, "::"),
        ({"addresses": ["fe80::1"]}, "fe80::1"),
        ({"public_addresses": ["224.0.0.1"]}, "224.0.0.1"),
    ],
)
def test_settings_that_no_browser_could_use_are_refused(values: dict[str, object], named: str) -> None:
    """The error names the key or what is wrong with it."""
    with pytest.raises(ValidationError, match=re.escape(named)):
        LiveSettings.model_validate(values)


def test_a_secret_alone_tells_nobody_of_anything() -> None:
    """Without an address there is no relay to open."""
    settings = LiveSettings(turn_secret=SecretStr(SECRET))
    assert links(settings, WHO, wall_ns=0) == {}
    assert hmac.compare_digest(str(settings.turn_secret), "**********")
    assert IceServer(url="stun:s.example.org").credential is None
