"""HTTP digest and UsernameToken, against the examples of their specifications."""

import base64
import hashlib

import pytest

from drivers.onvif.authentication import Challenge, Scheme, basic, challenges, username_token
from kernel.clock import NS_PER_S

REALM, NONCE = "http-auth@example.org", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
OPAQUE, CNONCE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_example(algorithm: str, response: str) -> None:
    """The answers are those of RFC 7616 section 3.9.1."""
    challenge = Challenge(realm=REALM, nonce=NONCE, algorithm=algorithm, qop="auth, auth-int", opaque=OPAQUE)
    header = challenge.answer(
        method="GET",
        url="http://www.example.org/dir/index.html",
        username="Mufasa",
        password="Circle of Life",
        cnonce=CNONCE,
    )
    assert f'response="{response}"' in header
    assert "qop=auth," in header
    assert "nc=00000001" in header
    assert f'opaque="{OPAQUE}"' in header


def test_rfc_2617_without_qop() -> None:
    """Without qop the older form of RFC 2069 is answered."""
    challenge = Challenge(realm="r", nonce="n", algorithm="", qop="")
    header = challenge.answer(method="GET", url="http://camera/a?b=c", username="u", password="p")
    first, second = (hashlib.md5(text).hexdigest() for text in (b"u:r:p", b"GET:/a?b=c"))  # noqa: S324
    assert f'response="{hashlib.md5(f"{first}:n:{second}".encode()).hexdigest()}"' in header  # noqa: S324
    assert "qop" not in header
    assert "algorithm" not in header


def test_session_variant_mixes_the_nonces_in() -> None:
    """MD5-sess hashes nonce and cnonce into the secret."""
    challenge = Challenge(realm="r", nonce="n", algorithm="MD5-sess", qop="auth")
    header = challenge.answer(method="GET", url="http://camera/", username="u", password="p", cnonce="c")
    secret = hashlib.md5(hashlib.md5(b"u:r:p").hexdigest().encode() + b":n:c").hexdigest()  # noqa: S324
    request = hashlib.md5(b"GET:/").hexdigest()  # noqa: S324
    expected = hashlib.md5(f"{secret}:n:00000001:c:auth:{request}".encode()).hexdigest()  # noqa: S324
    assert f'response="{expected}"' in header


def test_the_count_grows_with_each_use() -> None:
    """A nonce that is used again is counted."""
    challenge = Challenge(realm="r", nonce="n", algorithm="MD5", qop="auth")
    answers = [challenge.answer(method="GET", url="http://c/", username="u", password="p") for _ in range(2)]
    assert "nc=00000001" in answers[0]
    assert "nc=00000002" in answers[1]


@pytest.mark.parametrize(
    "headers",
    [
        ['Digest realm="a", nonce="1", algorithm=MD5', 'Digest realm="a", nonce="2", algorithm=SHA-256'],
        ['Digest realm="a", nonce="1", algorithm=MD5, Digest realm="a", nonce="2", algorithm=SHA-256, Basic realm="a"'],
    ],
)
def test_two_challenges_at_once(headers: list[str]) -> None:
    """Challenges in two headers or in one are both read, the stronger first."""
    found, has_basic = challenges(headers)
    assert [one.scheme for one in found] == [Scheme.DIGEST_SHA256, Scheme.DIGEST_MD5]
    assert [one.nonce for one in found] == ["2", "1"]
    assert has_basic == ("Basic" in headers[0])


def test_a_challenge_of_commas_and_quotes() -> None:
    """Quoted values keep their commas and escaped quotes; stale and qop are read."""
    header = r'Digest qop="auth,auth-int", realm="a \"b\", Basic c", nonce="x=,y", stale=TRUE, opaque=""'
    (found,), _ = challenges([header])
    assert (found.realm, found.nonce, found.qop, found.stale) == ('a "b", Basic c', "x=,y", "auth,auth-int", True)


def test_unknown_algorithms_are_passed_over() -> None:
    """A challenge we cannot answer is none."""
    assert challenges(['Digest realm="a", nonce="1", algorithm=SHA-512-256', "Bearer", "nonsense"]) == ([], False)


def test_username_token_digest_and_zulu_time() -> None:
    """The digest is that of the profile, over nonce, time and password; the time ends in Z."""
    created_ns = 1_284_664_457 * NS_PER_S + 128_900_000
    nonce = base64.b64decode("LKqI6G/AikKCQrN0zqZFlg==")
    security = username_token(username="user", password="userpassword", created_ns=created_ns, nonce=nonce)
    told = {element.tag.rpartition("}")[2]: element.text for element in security.iter()}
    assert told["Created"] == "2010-09-16T19:14:17.128Z"
    expected = hashlib.sha1(nonce + b"2010-09-16T19:14:17.128Z" + b"userpassword").digest()  # noqa: S324
    assert told["Password"] == base64.b64encode(expected).decode()
    assert told["Username"] == "user"


def test_basic() -> None:
    """Basic is base64 of name and password."""
    assert basic("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
