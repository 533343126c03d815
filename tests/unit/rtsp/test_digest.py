"""Answers to challenges."""

import hashlib
import re

import pytest

from drivers.errors import CameraAuthenticationError
from drivers.rtsp.digest import Authenticator
from drivers.simulator.device import Mount, SimulatedDevice
from drivers.simulator.rtsp.authentication import NONCE_LIFE_S, Doorkeeper
from kernel.geography import Place
from tests.fakes.clock import ManualClock

PLAIN = 'Digest realm="cam", nonce="abc"'


def device(clock: ManualClock) -> SimulatedDevice:
    """Return a camera whose password is ``simulated``."""
    return SimulatedDevice(
        number=1, name="", serial="", urn="", mount=Mount(place=Place(51.5, 0.0), bearing_deg=0.0), clock=clock
    )


def authenticator(*, basic: bool = False, password: str = "simulated") -> Authenticator:  # noqa: S107
    """Return one that has not been challenged."""
    return Authenticator("sightline", password, basic_allowed=basic)


def exchange(keeper: Doorkeeper, asker: Authenticator) -> int:
    """Ask until the camera is content; return how often it challenged."""
    for count in range(5):
        challenges = keeper.check(asker.header("PLAY", "rtsp://cam/x"), "PLAY")
        if challenges is None:
            asker.accepted()
            return count
        asker.challenged(challenges)
    raise AssertionError


@pytest.mark.parametrize(
    ("faults", "challenges"), [([], 1), (["two_challenges"], 1), (["sha256_broken"], 2), (["qop_auth_int"], 1)]
)
def test_each_kind_of_camera_is_satisfied(clock: ManualClock, faults: list[str], challenges: int) -> None:
    """MD5, SHA-256, a broken SHA-256 beside MD5, and auth-int on offer all lead in, and then without asking."""
    camera = device(clock)
    for fault in faults:
        camera.faults.set(fault)
    keeper, asker = Doorkeeper(camera), authenticator()
    assert exchange(keeper, asker) == challenges
    assert exchange(keeper, asker) == 0


def test_sha256_is_preferred(clock: ManualClock) -> None:
    """Where both are offered the stronger is used."""
    camera = device(clock)
    camera.faults.two_challenges = True
    keeper, asker = Doorkeeper(camera), authenticator()
    exchange(keeper, asker)
    assert "algorithm=SHA-256" in (asker.header("PLAY", "x") or "")


@pytest.mark.parametrize("fault", ["digest_only", "two_challenges", "sha256_broken"])
def test_a_wrong_password_is_found_out(clock: ManualClock, fault: str) -> None:
    """When every algorithm was refused the password is wrong, and no more is tried."""
    camera = device(clock)
    camera.faults.set(fault)
    with pytest.raises(CameraAuthenticationError, match="user name or password"):
        exchange(Doorkeeper(camera), authenticator(password="wrong"))


def test_a_stale_nonce_is_no_refusal(clock: ManualClock) -> None:
    """A nonce that has grown old is replaced, with stale=true or without."""
    keeper, asker = Doorkeeper(device(clock)), authenticator()
    exchange(keeper, asker)
    clock._advance(clock.monotonic_ns() + (NONCE_LIFE_S + 1) * 1_000_000_000)
    assert exchange(keeper, asker) == 1
    restarted = Doorkeeper(device(clock))
    assert exchange(restarted, asker) == 1


def test_an_answer_without_qop_is_that_of_rfc_2069() -> None:
    """The example of RFC 2617 section 3.5, without qop, has the digest of RFC 2069."""
    asker = Authenticator("Mufasa", "Circle Of Life", basic_allowed=False)
    asker.challenged(['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc"'])
    header = asker.header("GET", "/dir/index.html") or ""
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in header
    assert 'opaque="5ccc"' in header
    assert "qop" not in header
    assert "algorithm" not in header


def test_a_session_variant_hashes_the_nonces_in() -> None:
    """MD5-sess binds the secret to nonce and cnonce (RFC 7616 section 3.4.2)."""

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 - what the camera asks for

    asker = authenticator()
    asker.challenged(['Digest realm="r", nonce="n", algorithm=MD5-sess, qop=auth'])
    header = asker.header("PLAY", "u") or ""
    found = re.search(r'cnonce="(\w+)"', header)
    assert found is not None
    secret = md5(f"{md5('sightline:r:simulated')}:n:{found[1]}")
    assert f'response="{md5(secret + ":n:00000001:" + found[1] + ":auth:" + md5("PLAY:u"))}"' in header


def test_the_count_of_a_nonce_grows() -> None:
    """Each use of a nonce has its own number."""
    asker = authenticator()
    asker.challenged([PLAIN + ', qop="auth"'])
    assert [f"nc=0000000{n}" in (asker.header("A", "u") or "") for n in (1, 2)] == [True, True]


def test_two_challenges_in_one_header_are_told_apart() -> None:
    """Challenges joined by a comma are read as two."""
    asker = authenticator()
    asker.challenged(['Basic realm="cam", ' + PLAIN + ", algorithm=MD5"])
    assert (asker.header("A", "u") or "").startswith("Digest")


def test_quotes_in_names_are_escaped() -> None:
    """A user name with a quote does not break the header."""
    asker = Authenticator('a"b', "x", basic_allowed=False)
    asker.challenged([PLAIN])
    assert 'username="a\\"b"' in (asker.header("A", "u") or "")


def test_basic_is_for_tls_only() -> None:
    """The password goes in the clear only inside TLS, and only where digest is not offered."""
    asker = authenticator(basic=True)
    asker.challenged(['Basic realm="cam"'])
    assert asker.header("A", "u") == "Basic c2lnaHRsaW5lOnNpbXVsYXRlZA=="
    with pytest.raises(CameraAuthenticationError, match="in the clear"):
        authenticator().challenged(['Basic realm="cam"'])


@pytest.mark.parametrize(
    "offer", ["", "Negotiate abc", 'Digest realm="x"', PLAIN + ", algorithm=SHA-512-256", PLAIN + ', qop="auth-int"']
)
def test_what_is_not_known_is_said(offer: str) -> None:
    """Unknown schemes and algorithms, and body integrity alone, are named as such."""
    with pytest.raises(CameraAuthenticationError, match="not known"):
        authenticator().challenged([offer])


def test_before_a_challenge_nothing_is_said() -> None:
    """The password's proof is not offered to whoever did not ask."""
    assert authenticator().header("OPTIONS", "u") is None


def test_nonsense_in_an_answer_is_a_wrong_answer(clock: ManualClock) -> None:
    """The simulated camera refuses unknown algorithms, other users, forged nonces and odd letters, and survives."""
    keeper, asker = Doorkeeper(device(clock)), authenticator()
    exchange(keeper, asker)
    good = asker.header("PLAY", "u") or ""
    assert keeper.check(good, "PLAY") is None
    for bad in (
        re.sub('response="[^"]*"', 'response="\u00e9"', good),
        re.sub('nonce="[^"]*"', 'nonce="\u00e9"', good),
        good.replace("algorithm=MD5", "algorithm=SHA-1"),
        good.replace("sightline", "somebody"),
        good.replace("Digest ", "Basic "),
    ):
        assert keeper.check(bad, "PLAY") is not None
