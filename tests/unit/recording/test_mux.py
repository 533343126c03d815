"""Fragments and init segments: what goes in comes out, here and in libav."""

from fractions import Fraction
from io import BytesIO

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.media import AccessUnit, AudioCodec, AudioFrame, AudioParameters, VideoCodec, VideoParameters
from recording.assembler import Assembler
from recording.errors import MalformedFileError
from recording.mux.boxes import box, find, walk
from recording.mux.demux import sample_tables
from recording.mux.fragment import HEADER_BYTES, Fragment, FragmentHeader, SoundClock, pack_fragment, rehash
from recording.mux.init import AUDIO_TRACK, VIDEO_TRACK, Anchor, init_segment, sample_entries, video_only
from recording.mux.parameter_sets import decoder_configuration, in_band
from recording.stills import samples_of
from tests.fakes.footage import PCMA, PCMU, START_NS, coded, sound, split_annexb, units

AAC = AudioParameters(codec=AudioCodec.AAC, clock_hz=48_000, channels=2, config=b"\x11\x90")


def anchor(parameters: VideoParameters) -> Anchor:
    """Say whose footage it is."""
    return Anchor(file_id="f" * 32, camera="c" * 32, stream="main", run="r", start_ns=START_NS,
                  codec=parameters.codec, width=parameters.width, height=parameters.height,
                  time_source="sender-report")  # fmt: skip


def assemble(pictures: list[AccessUnit], heard: list[AudioFrame] | None = None) -> list[Fragment]:
    """Cut pictures and sound into fragments."""
    assembler = Assembler(fragment_s=4)
    assembler.audio_parameters = heard[0].parameters if heard else None
    done = []
    for unit in pictures:
        if cut := assembler.push(unit):
            done.append(cut)
        for frame in [frame for frame in heard or [] if unit.wall_ns <= frame.wall_ns < unit.wall_ns + 40_000_000]:
            assembler.sound(frame)
    last = assembler.finish()
    return [*done, last] if last else done


def lengthened(nals: tuple[bytes, ...]) -> bytes:
    """Put lengths before NAL units."""
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)


nal = st.binary(min_size=1, max_size=300).map(lambda data: b"\x41" + data)
steps = st.lists(st.tuples(st.integers(1, 90_000), st.lists(nal, min_size=1, max_size=4)), min_size=1, max_size=30)


def pack(
    fragment: Fragment, *, base_90k: int, sequence: int, sound: SoundClock | None = None
) -> tuple[FragmentHeader, bytes]:
    """Return what is said of a fragment, and the fragment; the buffer has been used before."""
    into = BytesIO(b"left over from the batch before" * 1000)
    into.write(b"before it")
    header = pack_fragment(fragment, into, base_90k=base_90k, sequence=sequence, sound=sound)
    return header, into.getvalue()[len(b"before it") : into.tell()]


@given(steps=steps, base=st.integers(0, 2**40))
@settings(max_examples=60, deadline=None)
def test_what_is_muxed_is_demuxed(steps: list[tuple[int, list[bytes]]], base: int) -> None:
    """The same NAL units at the same times come back from our own demuxer."""
    parameters = coded().parameters
    pictures, at = [], base
    for number, (step, nals) in enumerate(steps):
        pictures.append(AccessUnit(nals=tuple(nals), time_90k=at, wall_ns=START_NS, keyframe=number == 0,
                                   parameters=parameters, received_ns=0))  # fmt: skip
        at += step
    found = []
    for number, fragment in enumerate(assemble(pictures)):
        header, packed = pack(fragment, base_90k=base, sequence=number)
        found += samples_of(packed[HEADER_BYTES:])
        assert rehash(packed) == header.sha256
        assert FragmentHeader.parse(packed) == header
        assert header.size_bytes == len(packed)
    assert found == [(unit.time_90k - base, lengthened(unit.nals)) for unit in pictures]


@given(gaps=st.lists(st.integers(900, 20_000), min_size=49, max_size=49))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("codec", list(VideoCodec))
def test_libav_demuxes_the_same(codec: VideoCodec, gaps: list[int]) -> None:
    """Libav finds the same NAL units, times and keyframes in a file of real pictures at uneven times."""
    source = coded(codec)
    times = [0]
    for gap in gaps:
        times.append(times[-1] + gap)
    pictures = [
        AccessUnit(nals=nals, time_90k=7_000 + at, wall_ns=START_NS + at * 100_000 // 9, keyframe=keyframe,
                   parameters=source.parameters, received_ns=0)
        for at, (nals, keyframe) in zip(times, source.pictures, strict=True)
    ]  # fmt: skip
    data = init_segment(anchor(source.parameters), source.parameters, None)
    for number, fragment in enumerate(assemble(pictures)):
        data += pack(fragment, base_90k=7_000, sequence=number)[1]
    with av.open(BytesIO(data), "r") as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.time_base) == (160, 96, Fraction(1, 90_000))
        packets = [packet for packet in container.demux(stream) if packet.size]
    assert [packet.pts for packet in packets] == times
    assert [bytes(packet) for packet in packets] == [lengthened(unit.nals) for unit in pictures]
    assert [packet.is_keyframe for packet in packets] == [unit.keyframe for unit in pictures]


@pytest.mark.parametrize(("parameters", "name"), [(PCMU, "pcm_mulaw"), (PCMA, "pcm_alaw")])
def test_libav_hears_g711(parameters: AudioParameters, name: str) -> None:
    """Both laws come back byte for byte, at their own times."""
    source = coded()
    heard = list(sound(seconds=4, parameters=parameters))
    data = init_segment(anchor(source.parameters), source.parameters, parameters)
    clock = SoundClock(0, 0, parameters)
    for number, fragment in enumerate(assemble(list(units(source, seconds=4)), heard)):
        data += pack(fragment, base_90k=0, sequence=number, sound=clock)[1]
    with av.open(BytesIO(data), "r") as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.name == name
        packets = [packet for packet in container.demux(stream) if packet.size]
    assert b"".join(bytes(packet) for packet in packets) == b"".join(frame.data for frame in heard)
    assert packets[-1].pts == heard[-1].time_clock


def test_aac_has_its_configuration() -> None:
    """An AAC track carries the AudioSpecificConfig that the camera sent."""
    source = coded()
    data = init_segment(anchor(source.parameters), source.parameters, AAC)
    with av.open(BytesIO(data), "r") as container:
        audio = container.streams.audio[0].codec_context
        assert (audio.name, audio.sample_rate, bytes(audio.extradata or b"")) == ("aac", 48_000, b"\x11\x90")


def test_sound_that_does_not_fit_is_left_out() -> None:
    """Packets before the start of the file, of another coding, or that go back in time are not written."""
    frames = list(sound(seconds=0.1))
    source = coded()
    (fragment,) = assemble(list(units(source, seconds=1)))
    other = AudioFrame(data=b"x", time_clock=900, wall_ns=START_NS, parameters=PCMA)
    fragment.audio = [*frames, frames[1], other]
    _, packed = pack(fragment, base_90k=0, sequence=0, sound=SoundClock(160, 0, PCMU))
    (table,) = [table for table in sample_tables(packed[HEADER_BYTES:]) if table.track == AUDIO_TRACK]
    assert (table.start, table.sizes) == (0, (160,) * 4)


def test_a_browser_gets_pictures_only() -> None:
    """The init segment for MSE has one track, the pictures', and nothing of ours."""
    source = coded()
    bare = video_only(init_segment(anchor(source.parameters), source.parameters, PCMU))
    assert [part.kind for part in walk(bare)] == [b"ftyp", b"moov"]
    assert list(sample_entries(bare)) == [VIDEO_TRACK]


def test_the_anchor_comes_back() -> None:
    """What a file says of itself is read back whole."""
    parameters = coded().parameters
    assert Anchor.from_init(init_segment(anchor(parameters), parameters, None)) == anchor(parameters)


@pytest.mark.parametrize(
    "data", [b"", box(b"moov"), box(b"uuid", b"x" * 20), b"\0\0\0\4moov", b"\0\0\0\1mdat", b"\0\0"]
)
def test_what_is_not_ours_is_refused(data: bytes) -> None:
    """Bytes without our anchor are malformed, not a crash."""
    with pytest.raises(MalformedFileError):
        Anchor.from_init(data)


def test_a_damaged_anchor_is_refused() -> None:
    """An anchor that does not parse is malformed."""
    parameters = coded().parameters
    data = init_segment(anchor(parameters), parameters, None).replace(b'"codec":"h264"', b'"codec":"vp99"')
    with pytest.raises(MalformedFileError):
        Anchor.from_init(data)


def test_boxes_of_64_bits_are_walked() -> None:
    """A box with a large size is one box."""
    data = b"\0\0\0\1mdat" + (20).to_bytes(8, "big") + b"abcd" + box(b"free")
    assert [(part.kind, part.end - part.body) for part in walk(data)] == [(b"mdat", 4), (b"free", 0)]
    with pytest.raises(MalformedFileError):
        find(data, b"moov")


@given(data=st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_garbage_never_crashes_the_demuxer(data: bytes) -> None:
    """Any bytes either give tables or are malformed."""
    for parse in (lambda: list(sample_tables(data)), lambda: FragmentHeader.parse(data), lambda: list(walk(data))):
        try:
            parse()
        except MalformedFileError:
            continue


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_libav_reads_our_decoder_configuration(codec: VideoCodec) -> None:
    """Libav takes the record as it is, and decodes every picture with it."""
    source = coded(codec)
    data = init_segment(anchor(source.parameters), source.parameters, None)
    for number, fragment in enumerate(assemble(list(units(source, seconds=2)))):
        data += pack(fragment, base_90k=0, sequence=number)[1]
    with av.open(BytesIO(data), "r") as container:
        context = container.streams.video[0].codec_context
        assert bytes(context.extradata or b"") == decoder_configuration(source.parameters)
        assert context.name == ("h264" if codec is VideoCodec.H264 else "hevc")
        assert len(list(container.decode(video=0))) == 50


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_parameter_sets_come_back_in_band(codec: VideoCodec) -> None:
    """The sets of a sample entry are given again as NAL units with lengths."""
    parameters = coded(codec).parameters
    entry = sample_entries(init_segment(anchor(parameters), parameters, None))[VIDEO_TRACK]
    sets = tuple(nal for nal in (parameters.vps, parameters.sps, parameters.pps) if nal)
    assert in_band(entry) == lengthened(sets)


def test_start_codes_are_split() -> None:
    """The fake's splitter knows both lengths of start codes."""
    assert split_annexb(b"\0\0\0\1ab\0\0\1cd") == [b"ab", b"cd"]
