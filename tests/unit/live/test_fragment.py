"""SDP fragments of a PATCH: what is read, what is a restart, which ICE session If-Match names."""

import pytest
from aiortc import RTCIceParameters
from aiortc.rtcicetransport import RTCIceCandidate
from hypothesis import given
from hypothesis import strategies as st

from gateway.live.errors import LiveError, LiveFragmentError, LiveOfferError, LivePreconditionError
from gateway.live.fragment import Fragment, IceTurns, check_precondition, read_fragment, write_fragment
from gateway.live.offer import Offer, read_offer
from kernel.media import VideoCodec, VideoParameters
from tests.unit.live.test_offer import CHROMIUM, PCMU

PASSWORD = "p" * 24
CANDIDATE = "a=candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host generation 0\r\n"
TRICKLED = f"a=ice-ufrag:abcd\r\na=ice-pwd:{PASSWORD}\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n{CANDIDATE}"


@pytest.fixture
def offer() -> Offer:
    """Give Chromium's, as it is answered."""
    video = VideoParameters(VideoCodec.H264, 640, 360, sps=bytes.fromhex("6742c01e01"), pps=b"\x68\xce")
    return read_offer(CHROMIUM, video, PCMU)


def restart(name: str, password: str | None = PASSWORD, mid: str = "0") -> Fragment:
    """Return a fragment with credentials."""
    return read_fragment(f"a=ice-ufrag:{name}\r\na=mid:{mid}\r\n" + (f"a=ice-pwd:{password}\r\n" if password else ""))


def test_trickled_candidates_are_read() -> None:
    """A fragment gives its candidates, and the credentials and sections they belong to."""
    fragment = read_fragment(TRICKLED + "a=end-of-candidates\r\n")
    assert (fragment.username_fragment, fragment.password) == ("abcd", PASSWORD)
    assert fragment.mids == {"0"}
    assert [(candidate.ip, candidate.port) for candidate in fragment.candidates] == [("192.0.2.7", 50000)]
    assert not fragment.lite


@pytest.mark.parametrize(
    "body",
    [
        "a=candidate:1 1 udp nonsense\r\n",
        "",
        "nonsense",
        f"{TRICKLED}and nonsense\r\n",
        "a=mid:0\r\n",
        "a=ice-ufrag:abc\r\n",
        "a=ice-ufrag:abcd efgh\r\n",
        "a=ice-ufrag:abcd\r\na=ice-pwd:short\r\n",
        f"{TRICKLED}m=audio 9 X 0\r\na=ice-ufrag:other\r\n",
    ],
)
def test_a_malformed_fragment_is_refused(body: str) -> None:
    """What cannot be read, says nothing or contradicts itself is the sender's fault: 400."""
    with pytest.raises(LiveOfferError) as error:
        read_fragment(body)
    assert error.value.status == 400


@given(st.integers(0, len(TRICKLED) - 1), st.text(max_size=8))
def test_a_damaged_fragment_raises_nothing_but_our_errors(at: int, junk: str) -> None:
    """Whatever is cut out or put in, the reader reads or refuses; it never fails."""
    for text in (TRICKLED[:at] + junk + TRICKLED[at + len(junk) :], TRICKLED[:at]):
        try:
            read_fragment(text)
        except LiveError:
            continue


def test_a_restart_is_known_by_its_user_fragment(offer: Offer) -> None:
    """The credentials of the offer, or none, are the present session's; another fragment restarts (section 4.4.3)."""
    turns = IceTurns(offer)
    assert turns.restarts(restart(str(offer.ice.usernameFragment), offer.ice.password)) is None
    assert turns.restarts(read_fragment(CANDIDATE)) is None
    found = turns.restarts(restart("wxyz"))
    assert found == RTCIceParameters(usernameFragment="wxyz", password=PASSWORD)
    turns.turn(found)
    assert turns.restarts(restart("wxyz")) is None


def test_replaced_credentials_do_not_come_back(offer: Offer) -> None:
    """A late request of an ICE session that was restarted since restarts nothing (422)."""
    turns = IceTurns(offer)
    theirs = turns.restarts(restart("wxyz"))
    assert theirs is not None
    turns.turn(theirs)
    with pytest.raises(LiveFragmentError) as error:
        turns.restarts(restart(str(offer.ice.usernameFragment), offer.ice.password))
    assert error.value.status == 422


def test_credentials_change_as_a_whole(offer: Offer) -> None:
    """A new fragment without a password is malformed (400); a new password with the old fragment is not taken (422)."""
    turns = IceTurns(offer)
    with pytest.raises(LiveOfferError) as malformed:
        turns.restarts(restart("wxyz", None))
    assert malformed.value.status == 400
    with pytest.raises(LiveFragmentError):
        turns.restarts(restart(str(offer.ice.usernameFragment), "q" * 24))


def test_a_section_that_was_never_offered_is_refused(offer: Offer) -> None:
    """Its candidates belong to nothing (422)."""
    with pytest.raises(LiveFragmentError):
        IceTurns(offer).restarts(restart("wxyz", mid="77"))


@pytest.mark.parametrize(
    ("if_match", "named"),
    [('"a1"', True), ('"b", "a1"', True), ('W/"a1", "a1"', True), ("*", False), (" * ", False), ('"*"', False)],
)
def test_if_match_names_the_session_or_any(if_match: str, named: bool) -> None:  # noqa: FBT001 - a parameter
    """The strong tag, alone or in a list, names this session; a star names whichever there is."""
    assert check_precondition(if_match, '"a1"') is named


@pytest.mark.parametrize(("if_match", "status"), [(None, 428), ('"b"', 412), ('W/"a1"', 412), ("a1", 412), ("", 412)])
def test_another_sessions_tag_is_refused(if_match: str | None, status: int) -> None:
    """428 without a tag, 412 for another, a weak or a bare one."""
    with pytest.raises(LivePreconditionError) as error:
        check_precondition(if_match, '"a1"')
    assert error.value.status == status


def test_our_side_of_a_restart_is_a_fragment(offer: Offer) -> None:
    """It reads as one: credentials and candidates under the section that carries the bundle, and no more to come."""
    candidate = RTCIceCandidate(
        component=1, foundation="1", ip="192.0.2.1", port=8189, priority=1, protocol="udp", type="host"
    )
    written = write_fragment(offer, RTCIceParameters(usernameFragment="ours", password=PASSWORD), [candidate])
    read = read_fragment(written)
    assert (read.username_fragment, read.password) == ("ours", PASSWORD)
    assert [(each.ip, each.port) for each in read.candidates] == [("192.0.2.1", 8189)]
    assert read.mids == {offer.sections[0].mid}
    assert "a=ice-options:trickle" in written
    assert written.endswith("a=end-of-candidates\r\n")
