"""Proofs of who asks, made by the client that speaks to cameras."""

import pytest

from drivers.rtsp.digest import Authenticator
from gateway.live.rtsp.description import audio_payload, describe
from gateway.live.rtsp.digest import NONCE_LIFE_S, Doorkeeper, Proof
from kernel.media import AudioCodec, AudioFrame, AudioParameters, VideoCodec, VideoParameters
from tests.fakes.clock import ManualClock
from tests.fakes.rtsps import PASSWORD, outlet

URL = "rtsps://host:8322/met-41/7"
HOME = "192.0.2.7"


def _answered(doorkeeper: Doorkeeper, word: str, *, name: str = "met-41", password: str = PASSWORD) -> str:
    client = Authenticator("met", password, basic_allowed=True)
    client.challenged([value for _, value in doorkeeper.challenges(name, HOME) if word in value])
    return client.header("DESCRIBE", URL) or ""


@pytest.mark.parametrize("word", ["SHA-256", "MD5", "Basic"])
def test_each_way_proves_who_asks_and_nothing_else_does(clock: ManualClock, word: str) -> None:
    """The password is proved in every way that is offered; a wrong one, and one for no outlet, in none."""
    doorkeeper, wanted = Doorkeeper(clock=clock), outlet(clock)
    right = _answered(doorkeeper, word)
    assert doorkeeper.check(right, "DESCRIBE", "met-41", wanted, HOME) is Proof.GOOD
    assert doorkeeper.check(right, "DESCRIBE", "met-41", None, HOME) is Proof.WRONG
    wrong = _answered(doorkeeper, word, password="guess")
    assert doorkeeper.check(wrong, "DESCRIBE", "met-41", wanted, HOME) is Proof.WRONG
    assert doorkeeper.check("", "DESCRIBE", "met-41", wanted, HOME) is Proof.MISSING


async def test_a_proof_is_for_its_request_its_place_and_its_time(clock: ManualClock) -> None:
    """Another method is wrong; another address's or an old nonce is stale, so that a client asks again by itself."""
    doorkeeper, wanted = Doorkeeper(clock=clock), outlet(clock)
    right = _answered(doorkeeper, "SHA-256")
    assert doorkeeper.check(right, "SETUP", "met-41", wanted, HOME) is Proof.WRONG
    assert doorkeeper.check(right, "DESCRIBE", "met-41", wanted, "192.0.2.8") is Proof.STALE
    await clock.turn(NONCE_LIFE_S + 1)
    assert doorkeeper.check(right, "DESCRIBE", "met-41", wanted, HOME) is Proof.STALE


def test_aac_is_described_and_framed() -> None:
    """AAC is told with its configuration, and each frame goes with the header that tells its size (RFC 3640)."""
    sound = AudioParameters(AudioCodec.AAC, 48_000, 2, b"\x11\x90")
    video = VideoParameters(VideoCodec.H264, 320, 180, sps=b"\x67\x42\xc0\x1f", pps=b"\x68")
    text = describe(video, sound, session=1, title="Camera 7 main", address="192.0.2.1").decode()
    assert "a=rtpmap:97 MPEG4-GENERIC/48000/2" in text
    assert "mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1190" in text
    assert "profile-level-id=42c01f;sprop-parameter-sets=Z0LAHw==,aA==" in text
    assert audio_payload(AudioFrame(b"abc", 0, 0, sound)) == b"\x00\x10\x00\x18abc"
    assert audio_payload(AudioFrame(b"a" * 9000, 0, 0, sound)) is None
