"""The wire between a host and a coder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transcoder.framing import (
    HEAD,
    MAX_BODY_BYTES,
    MAX_NALS,
    Coded,
    FramingError,
    KeyframeWish,
    Kind,
    Message,
    Parameters,
    body_bytes,
    pack,
    unpack,
)

NALS = st.lists(st.binary(max_size=40), max_size=6).map(tuple)
WORDS = st.integers(-(2**63), 2**63 - 1)
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(Parameters, st.integers(0, 65535), st.integers(0, 65535), NALS),
    st.builds(Coded, NALS, WORDS, WORDS, st.integers(0, 255)),
    st.just(KeyframeWish()),
)


@given(MESSAGES)
def test_a_message_comes_out_as_it_went_in(message: Message) -> None:
    """Whatever is packed reads back the same."""
    packed = pack(message)
    head, body = packed[: HEAD.size], packed[HEAD.size :]
    assert body_bytes(head) == len(body)
    assert unpack(head, body) == message


@given(st.binary(min_size=HEAD.size, max_size=HEAD.size), st.binary(max_size=200))
def test_rubbish_is_refused_by_name_or_read(head: bytes, body: bytes) -> None:
    """Bytes of a process that is somebody else's by now raise nothing but ``FramingError``."""
    try:
        body_bytes(head)
        message = unpack(head, body)
    except FramingError:
        return
    assert unpack(pack(message)[: HEAD.size], pack(message)[HEAD.size :]) == message


@given(MESSAGES, st.data())
def test_a_message_cut_short_is_refused(message: Message, data: st.DataObject) -> None:
    """No body that lacks bytes, or has some too many, is read as a message."""
    packed = pack(message)
    head, body = packed[: HEAD.size], packed[HEAD.size :]
    wrong = body[: data.draw(st.integers(0, len(body) - 1))] if body and data.draw(st.booleans()) else body + b"\0"
    with pytest.raises(FramingError):
        unpack(head, wrong)


def test_what_is_too_large_is_not_packed() -> None:
    """Neither bytes beyond the wire's most nor NAL units beyond its most leave."""
    for nals in ((b"x" * MAX_BODY_BYTES,), (b"",) * (MAX_NALS + 1)):
        with pytest.raises(FramingError, match="too large"):
            pack(Coded(nals, 0, 0))


@pytest.mark.parametrize(("announced", "most"), [(MAX_BODY_BYTES + 1, MAX_BODY_BYTES), (101, 100)])
def test_what_is_announced_too_large_is_not_waited_for(announced: int, most: int) -> None:
    """A head alone is refused when the body would be longer than its reader takes."""
    with pytest.raises(FramingError, match="announced"):
        body_bytes(HEAD.pack(Kind.PICTURE, 0, 0, announced), most)
