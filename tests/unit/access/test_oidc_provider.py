"""What a provider is asked, how often, and which of its answers are taken."""

import ssl
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey
from joserfc.jwt import Token
from starlette.responses import JSONResponse, RedirectResponse, Response

from config.errors import BadValueError
from config.oidc import OidcSettings
from gateway.access.oidc.errors import ProviderAnswerError, ProviderError, ProviderUnreachableError
from gateway.access.oidc.kept import FAILED_S, FRESH_S, PAUSE_S, Kept
from gateway.access.oidc.provider import Provider, Question, open_provider
from gateway.access.oidc.tokens import BadTokenError, Expected, id_claims, key_set, logout
from tests.fakes.clock import ManualClock
from tests.fakes.oidc_desk import provider_settings
from tests.fakes.signing_provider import KEY, SigningProvider, signing_provider

DOCUMENT = "/.well-known/openid-configuration"


@pytest_asyncio.fixture
async def there() -> AsyncIterator[SigningProvider]:
    """A provider."""
    async with signing_provider() as provider:
        yield provider


@pytest.fixture
def here(tmp_path: Path, there: SigningProvider, clock: ManualClock) -> Provider:
    """What we know of it."""
    settings = provider_settings(tmp_path, there.issuer)
    return Provider(settings, clock=clock, secret=None, tls=ssl.create_default_context())


ODD: dict[str, Response] = {
    "nothing": Response(b""),
    "no object": JSONResponse(["x"]),
    "no text": Response(b"\xff\xfe{", media_type="application/json"),
    "deep": Response(b"[" * 100_000, media_type="application/json"),
    "long": Response(b'{"x": "' + b"x" * 600_000 + b'"}', media_type="application/json"),
    "packed": Response(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
    "elsewhere": RedirectResponse("https://evil.example/"),
    "absent": JSONResponse({}, status_code=404),
}


@pytest.mark.parametrize("odd", ODD)
async def test_an_odd_answer_is_refused(there: SigningProvider, here: Provider, odd: str) -> None:
    """Of whatever kind: it is bounded, it is not followed, and it is one plain error."""
    there.answers[DOCUMENT] = ODD[odd]
    with pytest.raises(ProviderAnswerError):
        await here.addresses()


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_provider_out_of_order_is_told_from_a_strange_one(
    there: SigningProvider, here: Provider, status: int
) -> None:
    """So that one tries again later."""
    there.answers[DOCUMENT] = Response(b"<html>", status_code=status)
    with pytest.raises(ProviderUnreachableError):
        await here.addresses()


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://other.example.org"},
        {"issuer": None},
        {"token_endpoint": None},
        {"authorization_endpoint": ""},
        {"jwks_uri": 7},
        {"token_endpoint": "http://169.254.169.254/latest/meta-data"},
        {"jwks_uri": "https://evil.example/keys"},
        {"userinfo_endpoint": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://login.example.org/"},
        {"end_session_endpoint": "http://[::"},
        {"jwks_uri": "https://user@evil.example/"},
    ],
)
async def test_a_document_that_leads_elsewhere_is_refused(
    there: SigningProvider, here: Provider, wrong: dict[str, Any]
) -> None:
    """The issuer's own hosts alone are asked, and nobody is sent where there is no TLS."""
    there.discovery = wrong
    with pytest.raises(ProviderAnswerError):
        await here.addresses()
    assert there.asked == [DOCUMENT]


async def test_an_issuer_with_a_path_is_asked_below_it(tmp_path: Path, clock: ManualClock) -> None:
    """As Keycloak's realms are; the address is made as Discovery 4 says."""
    async with signing_provider() as there:
        there.issuer += "/realms/borough"
        there.answers["/realms/borough" + DOCUMENT] = await there._discovered(None)  # type: ignore[arg-type]
        settings = provider_settings(tmp_path, there.issuer)
        here = Provider(settings, clock=clock, secret=None, tls=ssl.create_default_context())
        assert (await here.addresses()).token == f"{there.issuer}/token"


async def test_a_public_client_names_itself_in_the_form(there: SigningProvider, here: Provider) -> None:
    """Without a secret there is no Authorization header; PKCE alone binds the code."""
    await here.addresses()
    there.answers["/token"] = JSONResponse({"error": "x"}, status_code=400)
    url, headers, body = here._auth.prepare("POST", f"{there.issuer}/token", {}, "grant_type=authorization_code")
    assert (url, headers) == (f"{there.issuer}/token", {})
    assert body == "grant_type=authorization_code&client_id=sightline"


async def test_proving_oneself_anew_is_asked_for(here: Provider) -> None:
    """Tying an account wants the person, not what the provider remembers of the desk."""
    question = Question(state="s", nonce="n", verifier="v" * 43, redirect_uri="http://127.0.0.1/x", again=True)
    url = await here.sign_in_url(question)
    assert "prompt=login" in url
    assert "max_age=0" in url


# --- what is kept


class Asked:
    """Counts how often it is asked, and fails on demand."""

    def __init__(self) -> None:
        self.count = 0
        self.failing = False

    async def __call__(self) -> int:
        """Answer with the count."""
        self.count += 1
        if self.failing:
            raise ProviderUnreachableError("down")
        return self.count


async def test_what_is_kept_is_asked_for_again_when_it_is_old(clock: ManualClock) -> None:
    """Within its time it is not; after it, it is."""
    asked = Asked()
    kept = Kept(asked, clock=clock)
    assert [await kept.get() for _ in range(3)] == [1, 1, 1]
    await clock.turn(FRESH_S)
    assert await kept.get() == 2


async def test_nothing_old_is_used_when_the_new_cannot_be_had(clock: ManualClock) -> None:
    """A key that was withdrawn does not live on because its provider is kept from saying so."""
    asked = Asked()
    kept = Kept(asked, clock=clock)
    await kept.get()
    await clock.turn(FRESH_S)
    asked.failing = True
    with pytest.raises(ProviderUnreachableError):
        await kept.get()


async def test_it_is_renewed_no_more_often_than_now_and_then(clock: ManualClock) -> None:
    """Whoever shows made-up key names does not have the provider asked each time."""
    asked = Asked()
    kept = Kept(asked, clock=clock)
    await kept.get()
    await kept.get(renew=True)
    assert asked.count == 1
    await clock.turn(PAUSE_S)
    await kept.get(renew=True)
    assert asked.count == 2


async def test_a_failure_is_told_for_a_while_and_then_tried_again(clock: ManualClock) -> None:
    """A crowd before a dead provider waits once."""
    asked = Asked()
    asked.failing = True
    kept = Kept(asked, clock=clock)
    for _ in range(5):
        with pytest.raises(ProviderError):
            await kept.get()
    assert asked.count == 1
    await clock.turn(FAILED_S)
    asked.failing = False
    assert await kept.get() == 2


# --- keys and tokens


def test_only_keys_that_can_sign_for_us_are_taken() -> None:
    """Short RSA keys, symmetric and unknown ones, and nonsense are passed over for the good ones."""
    # A number that is whole base64url: one that was cut off is no number, save for one in sixteen.
    modulus = urlsafe_b64encode(((1 << 1023) + 1).to_bytes(128)).decode().rstrip("=")
    short = {"kty": "RSA", "kid": "short", "e": "AQAB", "n": modulus}
    ec = ECKey.generate_key("P-256", {"kid": "ec"})
    listed: list[Any] = [
        short,
        OctKey.generate_key(256, {"kid": "oct"}).as_dict(),
        {"kty": "AKP", "kid": "pq"},
        {"kty": "RSA"},
        {"kty": "RSA", "e": "AQAB", "n": 7},
        "nonsense",
        None,
        KEY.as_dict(private=False),
        ec.as_dict(private=False),
    ]
    assert [key.kid for key in key_set({"keys": listed})] == ["one", "ec"]


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": []}, {"keys": {"kty": "RSA"}}])
def test_a_key_set_without_keys_is_none(document: dict[str, Any]) -> None:
    """It is an error, not a set in which nothing is found."""
    with pytest.raises(BadTokenError):
        key_set(document)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
NAMES = (
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "nonce",
    "azp",
    "amr",
    "acr",
    "auth_time",
    "at_hash",
    "sid",
    "jti",
    "events",
)
GOOD = {"iss": "https://i", "sub": "s", "aud": "c", "exp": 200, "iat": 100, "nonce": "n", "jti": "j"}


@pytest.mark.parametrize("proved_s", [None, 0, 99, "100", float("nan"), [100], True])
def test_an_old_proof_is_no_new_one(proved_s: Any) -> None:
    """Where somebody was to prove themselves anew, a time before that, or none, is refused."""
    wanted = Expected(
        issuer="https://i", client_id="c", nonce="n", access_token=None, begun_s=100, now_s=110, skew_s=0, again=True
    )
    with pytest.raises(BadTokenError):
        id_claims(Token({"alg": "RS256"}, {**GOOD, "auth_time": proved_s}), wanted)
    assert id_claims(Token({"alg": "RS256"}, {**GOOD, "auth_time": 100}), wanted)["sub"] == "s"


@given(changed=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4), kind=VALUES)
@settings(max_examples=500)
def test_whatever_a_token_says_it_is_taken_or_refused(changed: dict[str, Any], kind: Any) -> None:
    """Claims of any type end in what was asked for or in the one error: nothing else escapes."""
    wanted = Expected(
        issuer="https://i", client_id="c", nonce="n", access_token="a", begun_s=100, now_s=110, skew_s=0, again=True
    )
    try:
        said = id_claims(Token({"alg": "RS256", "typ": kind}, {**GOOD, **changed}), wanted)
    except BadTokenError:
        pass
    else:
        assert (said["iss"], said["aud"] in ("c", ["c"]), said["nonce"]) == ("https://i", True, "n")
    try:
        wish = logout(
            Token({"alg": "RS256", "typ": kind}, {**GOOD, **changed}),
            issuer="https://i",
            client_id="c",
            now_s=110,
            skew_s=0,
        )
    except BadTokenError:
        pass
    else:
        assert wish.subject is not None or wish.sid is not None


# --- files


async def test_the_secret_may_be_a_credential_of_systemd(tmp_path: Path, clock: ManualClock) -> None:
    """By the name ``oidc-ID``, where no file is named."""
    (tmp_path / "oidc-borough").write_text("from systemd\n")
    settings = provider_settings(tmp_path, "https://login.example.org", client_secret_file=None)
    provider = await open_provider(settings, clock=clock, credentials=str(tmp_path))
    assert provider._auth.client_secret == "from+systemd"


async def test_without_a_secret_it_is_a_public_client(tmp_path: Path, clock: ManualClock) -> None:
    """No file, no credential."""
    settings = provider_settings(tmp_path, "https://login.example.org", client_secret_file=None)
    provider = await open_provider(settings, clock=clock, credentials=None)
    assert provider._auth.client_secret is None


async def _opened(settings: OidcSettings, clock: ManualClock) -> None:
    await open_provider(settings, clock=clock, credentials=None)


async def test_a_secret_that_everybody_may_read_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    """With the command that mends it."""
    settings = provider_settings(tmp_path, "https://login.example.org")
    assert settings.client_secret_file is not None
    settings.client_secret_file.chmod(0o644)
    with pytest.raises(BadValueError, match="can be read by everybody") as caught:
        await _opened(settings, clock)
    assert "chmod" in caught.value.cure


@pytest.mark.parametrize("content", [None, "", "\n"])
async def test_a_secret_that_is_not_there_is_said(tmp_path: Path, clock: ManualClock, content: str | None) -> None:
    """Its file is missing or empty."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_text(content)
    settings = provider_settings(tmp_path, "https://login.example.org", client_secret_file=path)
    with pytest.raises(BadValueError, match="cannot be read, or is empty"):
        await _opened(settings, clock)


async def test_an_authority_that_is_none_is_said(tmp_path: Path, clock: ManualClock) -> None:
    """A file that is no PEM, or not there."""
    settings = provider_settings(tmp_path, "https://login.example.org", ca_file=tmp_path / "client-secret")
    with pytest.raises(BadValueError, match="ca_file of borough cannot be used"):
        await _opened(settings, clock)


async def test_a_role_that_there_is_not_is_said(tmp_path: Path, clock: ManualClock) -> None:
    """At the start, with the roles that there are."""
    settings = provider_settings(tmp_path, "https://login.example.org", groups={"x": "king"})
    with pytest.raises(BadValueError, match="makes x a king") as caught:
        await _opened(settings, clock)
    assert "operator" in caught.value.cure
