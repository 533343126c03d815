"""The packets that only go on with a fragmented unit, taken in one loop, against the same taken one by one."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.rtsp import connection as module
from drivers.rtsp.connection import Connection
from drivers.rtsp.depacketise import BEGINNING_BYTES, H264Depacketiser, H265Depacketiser
from drivers.rtsp.video import LEARN_KEYFRAMES, VideoTrack
from drivers.simulator.rtsp.packets import interleave
from kernel.media import AccessUnit, VideoCodec
from tests.fakes.rtp import NEXT_SLICE, VIDEO_SDP, Bench, feed, media

STEP = 3600
H264 = VideoCodec.H264


def stream(codec: VideoCodec, edits: list[tuple[int, int, int]]) -> bytes:
    """Return some seconds of a camera, interleaved; each edit damages a packet: (which, how, where)."""
    bench = Bench()
    packets: list[bytes] = []
    for index in range(24):
        packets += bench.picture(codec, index * STEP, keyframe=index % 6 == 0, size=9000)
    framed = [interleave(0, packet) for packet in packets]
    for which, how, where in edits:
        at = which % len(framed)
        packet = framed[at]
        if how == 0:
            framed[at] = b""
        elif how == 1:
            framed[at] = packet + packet
        elif how == 2 and packet:
            framed[at] = interleave(2, packet[4:]) + packet
        elif how == 3 and packet:
            framed[at] = interleave(0, packet[4 : 4 + 12 + where % 6])
        elif how == 4:
            framed[at] = b"\r\nOPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n" + packet
        elif packet:
            # Flags, payload type, number, time, source, fragment header: wherever a packet says what it is.
            changed = bytearray(packet)
            changed[4 + where % 15] ^= 1 << where % 8
            framed[at] = bytes(changed)
    return b"".join(framed)


def taken(codec: VideoCodec, data: bytes, cuts: list[int], *, following: bool) -> tuple[list[AccessUnit], object, int]:
    """Return what a track makes of ``data`` when it is read in these pieces, its statistics and the packets counted."""

    async def run() -> tuple[list[AccessUnit], object, int]:
        bench = Bench()
        connection = Connection(bench.clock)
        track = VideoTrack(media(VIDEO_SDP[codec]), connection, bench.delivery, bench.clock, 0.0)
        connection.handlers[0] = track.receive
        if following:
            connection.followers[0] = track.follower(0)
        places = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
        for start, stop in pairwise(places):
            for at in range(start, stop, 100_000):
                piece = data[at : min(stop, at + 100_000)]
                connection.get_buffer(-1)[: len(piece)] = piece
                connection.buffer_updated(len(piece))
        return bench.sink.units, bench.stats, connection.packets

    return asyncio.run(run())


@pytest.mark.parametrize("codec", list(VideoCodec))
@settings(deadline=None, max_examples=60)
@given(
    edits=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 9), st.integers(0, 100)), max_size=6),
    cuts=st.lists(st.integers(0, 10**6), max_size=20),
)
def test_following_changes_nothing(codec: VideoCodec, edits: list[tuple[int, int, int]], cuts: list[int]) -> None:
    """Whatever comes, in whatever pieces, the same pictures and the same counts come out with it and without."""
    data = stream(codec, edits)
    assert taken(codec, data, cuts, following=True) == taken(codec, data, cuts, following=False)


def test_most_packets_need_no_ceremony(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a picture in seven packets read at once only the first and the last are looked at as a stranger's."""
    seen = []
    receive = VideoTrack.receive

    def counting(track: VideoTrack, buffer: bytearray, start: int, end: int) -> None:
        seen.append(end - start)
        receive(track, buffer, start, end)

    monkeypatch.setattr(VideoTrack, "receive", counting)
    bench = Bench()
    packets = bench.picture(H264, 0, keyframe=False, size=9000)
    taken(H264, b"".join(interleave(0, packet) for packet in packets), [], following=True)
    assert len(packets) == 7
    assert len(seen) == 2


def test_the_shared_buffer_is_what_is_read_into() -> None:
    """Every connection of the process offers the same buffer."""

    async def run() -> None:
        bench = Bench()
        views = [Connection(bench.clock).get_buffer(-1) for _ in range(2)]
        assert all(view.obj is module._BUFFER for view in views)

    asyncio.run(run())


def with_start_code(at: int, size: int = 2000) -> bytes:
    """Return a slice with a start code inside, ``at`` bytes in."""
    body = NEXT_SLICE[H264] + b"\xaa" * size
    return body[:at] + b"\x00\x00\x01" + NEXT_SLICE[H264] + body[at:]


def test_a_camera_that_leaves_start_codes_in_is_known_for_good() -> None:
    """Where one was found, they are looked for everywhere from then on."""
    bench = Bench()
    track = VideoTrack(media(VIDEO_SDP[H264]), bench, bench.delivery, bench.clock, 0.0)
    feed(track, bench.picture(H264, 0, keyframe=True))
    feed(track, [bench.writer.packet(with_start_code(1200), STEP, marker=True)])
    for index in range(2, 2 + LEARN_KEYFRAMES * 2):
        feed(track, bench.picture(H264, index * STEP, keyframe=True))
    feed(track, [bench.writer.packet(with_start_code(1200), (2 + LEARN_KEYFRAMES * 2) * STEP, marker=True)])
    assert [len(unit.nals) for unit in bench.sink.units][-1] == 2


def test_a_camera_that_leaves_none_in_is_searched_at_the_beginnings_only() -> None:
    """After some groups of pictures without one, what is glued to a beginning is found, and the rest is not read."""
    bench = Bench()
    track = VideoTrack(media(VIDEO_SDP[H264]), bench, bench.delivery, bench.clock, 0.0)
    for index in range(1 + LEARN_KEYFRAMES):
        feed(track, bench.picture(H264, index * STEP, keyframe=True))
    feed(track, [bench.writer.packet(with_start_code(BEGINNING_BYTES), 10 * STEP, marker=True)])
    assert len(bench.sink.units[-1].nals) == 1
    feed(track, [bench.writer.packet(with_start_code(BEGINNING_BYTES - 3), 11 * STEP, marker=True)])
    assert len(bench.sink.units[-1].nals) == 2


@pytest.mark.parametrize("collector", [H264Depacketiser, H265Depacketiser])
def test_a_new_camera_is_searched_thoroughly(collector: type[H264Depacketiser | H265Depacketiser]) -> None:
    """Nothing is taken for granted at the start of a session."""
    assert collector().thorough
