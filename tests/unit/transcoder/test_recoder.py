"""What is made of H.265: judged by a decoder that is not ours."""

import random
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from hypothesis import given
from hypothesis import strategies as st

from drivers.simulator.picture import strip
from drivers.simulator.picture.encoder import split_annexb, to_frame
from gateway.transcoder import recoder
from gateway.transcoder.framing import Coded, Flag, Message, Parameters
from gateway.transcoder.recoder import GOP_90K, LONG_SIDE, SHORT_SIDE, Recoder, fitted, split
from kernel.clock import NS_PER_S
from kernel.media import VideoCodec, VideoParameters
from tests.fakes.clock import ManualClock
from tests.unit.simulator_town.decoding import annexb, decoded, luma_of
from tests.unit.transcoder.conftest import Source


def never() -> bool:
    """Nothing waits."""
    return False


def always() -> bool:
    """More always waits."""
    return True


def run(coder: Recoder, source: Source, count: int) -> list[Message]:
    """Return all that comes of ``count`` pictures."""
    coder.take_parameters(source.parameters)
    return [made for picture in source.pictures(count) for made in coder.take(picture)]


def coded(made: list[Message]) -> list[Coded]:
    """Return the pictures of it."""
    return [one for one in made if isinstance(one, Coded)]


def sets_of(message: Message) -> VideoParameters:
    """Return parameter sets as a viewer's decoder is given them."""
    assert isinstance(message, Parameters)
    sps, pps = message.nals
    return VideoParameters(VideoCodec.H264, message.width, message.height, sps, pps)


def test_every_picture_comes_out_at_once_with_its_own_time(clock: ManualClock, source: Source) -> None:
    """Each H.265 picture gives one H.264 picture before the next is handed over, under the same time."""
    coder = Recoder(clock, never)
    coder.take_parameters(source.parameters)
    for place, picture in enumerate(source.pictures(12)):
        *sets, made = coder.take(picture)
        assert isinstance(made, Coded)
        assert (made.time_90k, made.received_ns) == (picture.time_90k, picture.received_ns)
        assert [type(one) for one in sets] == ([Parameters] if place == 0 else [])
        assert bool(made.flags & Flag.KEYFRAME) == (place == 0)


def test_the_picture_is_the_cameras(clock: ManualClock, source: Source) -> None:
    """The strip reads in every decoded picture: the camera's number, and the instant of each."""
    made = run(Recoder(clock, never), source, 6)
    frames = decoded(sets_of(made[0]), coded(made))
    readings = [strip.read(luma_of(frame)) for frame in frames]
    assert [reading.number if reading else None for reading in readings] == [source.camera.number] * 6
    assert (frames[0].width, frames[0].height) == (320, 180)


def test_what_is_sent_is_what_every_browser_plays(clock: ManualClock, source: Source) -> None:
    """Constrained baseline at level 3.1, and no parameter sets, delimiters or SEI among the pictures."""
    made = run(Recoder(clock, never), source, 3)
    sps = sets_of(made[0]).sps
    assert (sps[1], sps[2] & 0x40, sps[3]) == (66, 0x40, 31)
    assert {nal[0] & 0x1F for one in coded(made) for nal in one.nals} == {1, 5}


def test_larger_pictures_are_made_smaller(clock: ManualClock) -> None:
    """1080p comes out as 720p, and its strip still reads."""
    made = run(Recoder(clock, never), Source(clock, width=1920, height=1080), 2)
    (first, *_) = decoded(sets_of(made[0]), coded(made))
    assert (first.width, first.height) == (1280, 720)
    assert strip.read(luma_of(first)) is not None


@given(st.integers(1, 8192), st.integers(1, 8192))
def test_any_size_fits_the_level(width: int, height: int) -> None:
    """Sides are even, at least 16, at most 1280 and 720, and never both larger than they were but for rounding."""
    across, down = fitted(width, height)
    assert across % 2 == down % 2 == 0
    assert 16 <= max(across, down) <= LONG_SIDE
    assert 16 <= min(across, down) <= SHORT_SIDE
    assert across <= max(16, width + 1)
    assert down <= max(16, height + 1)


def test_a_wish_makes_the_next_picture_a_keyframe(clock: ManualClock, source: Source) -> None:
    """It is one, and only it."""
    coder = Recoder(clock, never)
    coder.take_parameters(source.parameters)
    keys = []
    for place, picture in enumerate(source.pictures(6)):
        if place == 3:
            coder.want_keyframe()
        keys += [bool(one.flags & Flag.KEYFRAME) for one in coded(list(coder.take(picture)))]
    assert keys == [True, False, False, True, False, False]


def test_keyframes_come_by_themselves(clock: ManualClock, source: Source) -> None:
    """One every two seconds of media time, whatever the camera's own distance between them."""
    made = coded(run(Recoder(clock, never), source, 102))
    assert [one.time_90k - made[0].time_90k for one in made if one.flags & Flag.KEYFRAME] == [0, GOP_90K, 2 * GOP_90K]


def test_at_most_thirty_a_second(clock: ManualClock) -> None:
    """Of 50 pictures a second every other one is coded."""
    assert len(coded(run(Recoder(clock, never), Source(clock, frame_rate=50.0), 40))) == 20


def test_late_pictures_are_decoded_but_not_coded(clock: ManualClock, source: Source) -> None:
    """What comes out while more waits and pictures are old is two a second; what is on time again comes out whole."""
    coder = Recoder(clock, always)
    coder.take_parameters(source.parameters)
    pictures = list(source.pictures(50))
    clock._advance(pictures[-1].received_ns + NS_PER_S)
    late = coded([made for picture in pictures for made in coder.take(picture)])
    assert [one.time_90k for one in late] == [pictures[0].time_90k]
    fresh = [Coded(one.nals, one.time_90k + 180_000, clock.monotonic_ns()) for one in pictures[:5]]
    assert len(coded([made for picture in fresh for made in coder.take(picture)])) == 5


def test_late_pictures_are_coded_where_nothing_waits(clock: ManualClock, source: Source) -> None:
    """The last of a pile is shown, however old it is."""
    coder = Recoder(clock, never)
    coder.take_parameters(source.parameters)
    pictures = list(source.pictures(5))
    clock._advance(pictures[-1].received_ns + 10 * NS_PER_S)
    assert len(coded([made for picture in pictures for made in coder.take(picture)])) == 5


def test_other_parameters_are_other_pictures(clock: ManualClock, source: Source) -> None:
    """A camera that changes its size gets new parameter sets sent on, and a keyframe under them."""
    coder = Recoder(clock, never)
    run(coder, source, 3)
    other = Source(clock, width=640, height=360)
    coder.take_parameters(other.parameters)
    later = [Coded(one.nals, one.time_90k + 90_000, one.received_ns) for one in other.pictures(2)]
    made = [made for picture in later for made in coder.take(picture)]
    assert (sets_of(made[0]).width, sets_of(made[0]).height) == (640, 360)
    assert coded(made)[0].flags & Flag.KEYFRAME


def test_nothing_is_made_of_pictures_without_parameters(clock: ManualClock, source: Source) -> None:
    """They are passed over."""
    assert [made for picture in source.pictures(2) for made in Recoder(clock, never).take(picture)] == []


def test_a_picture_beyond_all_cameras_is_not_decoded(
    clock: ManualClock, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that would take the memory gives nothing and breaks nothing."""
    monkeypatch.setattr(recoder, "MAX_PIXELS", 300 * 180)
    assert run(Recoder(clock, never), source, 3) == []


@pytest.mark.parametrize("seed", range(8))
def test_damage_ends_nothing(clock: ManualClock, source: Source, seed: int) -> None:
    """Of pictures with bytes turned over, cut off or swapped some come out or none; the good ones after them do."""
    rng = random.Random(seed)  # noqa: S311 - damage, not a secret
    coder = Recoder(clock, never)
    coder.take_parameters(source.parameters)
    for picture in source.pictures(25):
        nals = [bytearray(nal) for nal in picture.nals]
        for nal in nals:
            for _ in range(rng.randrange(8)):
                nal[rng.randrange(len(nal))] = rng.randrange(256)
            del nal[rng.randrange(1, len(nal) + 1) :]
        rng.shuffle(nals)
        list(coder.take(Coded(tuple(map(bytes, nals)), picture.time_90k, picture.received_ns)))
    assert len(coded(run(coder, source, 5))) >= 4


@pytest.mark.parametrize("seed", range(8))
def test_damaged_parameters_end_nothing(clock: ManualClock, source: Source, seed: int) -> None:
    """Parameter sets of noise give no pictures or some; the good ones after them give all."""
    rng = random.Random(seed)  # noqa: S311 - damage, not a secret
    coder = Recoder(clock, never)
    nals = [bytearray(nal) for nal in source.parameters.nals]
    for nal in nals:
        nal[rng.randrange(2, len(nal))] = rng.randrange(256)
    coder.take_parameters(Parameters(1, 1, tuple(map(bytes, nals))))
    for picture in source.pictures(5):
        list(coder.take(picture))
    assert len(coded(run(coder, source, 5))) == 5


def _with_b_pictures(count: int) -> tuple[Parameters, list[Coded]]:
    """Return H.265 in which pictures are shown in another order than they are decoded in."""
    encoder = VideoCodecContext.create("libx265", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 320, 180, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.max_b_frames = Fraction(1, 90_000), Fraction(25), 2
    encoder.options = {
        "preset": "ultrafast",
        "x265-params": "log-level=error:info=0:bframes=2:b-adapt=0:repeat-headers=1:pools=none:frame-threads=1",
    }
    packets = []
    for place in range(count):
        frame = to_frame(np.full((180, 320, 3), 40 + 5 * place, dtype=np.uint8))
        frame.pts, frame.time_base = place * 3600, Fraction(1, 90_000)
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    units = [(split_annexb(bytes(packet)), packet.pts or 0) for packet in packets]
    sets = tuple(nal for nal in units[0][0] if nal[0] >> 1 & 0x3F in {32, 33, 34})
    return Parameters(320, 180, sets), [
        Coded(tuple(nal for nal in nals if nal[0] >> 1 & 0x3F < 32), time, 0) for nals, time in units
    ]


def test_pictures_out_of_order_come_in_the_order_they_are_shown_in(clock: ManualClock) -> None:
    """With B pictures none is lost, and times only grow."""
    parameters, pictures = _with_b_pictures(20)
    assert [one.time_90k for one in pictures] != sorted(one.time_90k for one in pictures)
    coder = Recoder(clock, never)
    coder.take_parameters(parameters)
    times = [one.time_90k for one in coded([made for picture in pictures for made in coder.take(picture)])]
    assert times == [place * 3600 for place in range(len(times))]
    assert len(times) >= 15


@given(st.lists(st.binary(min_size=1, max_size=30).filter(lambda nal: b"\0\0" not in nal and nal[-1] != 0), max_size=8))
def test_nal_units_are_found_again(nals: list[bytes]) -> None:
    """What stands behind start codes comes out as it went in."""
    assert list(split(annexb(nals))) == nals


@pytest.mark.parametrize("number", [*range(20), 200, 255])
def test_colours_that_no_coder_knows_are_no_matter(clock: ManualClock, source: Source, number: int) -> None:
    """A picture that claims to be RGB, or of colours that nobody has named, is coded all the same."""
    coder = Recoder(clock, never)
    coder.take_parameters(source.parameters)
    frame = av.VideoFrame(320, 180, "yuv420p")
    frame.colorspace = frame.color_primaries = frame.color_trc = number
    assert len(coded(list(coder._encode(frame, Coded((), 0, 0))))) == 1
