"""Arithmetic on spans, gaps and segments."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kernel.clock import NS_PER_S
from kernel.media import GapCause, VideoCodec
from recording.catalog.facts import GapRow
from recording.catalog.files import FileRow, FragmentRow
from recording.mux.fragment import ENDS_GOP, KEYFRAME, ns_to_ticks, ticks_to_ns
from recording.segments import gops
from recording.timeline import GapSpan, RunSpan, clip, explain, spans_of, uncovered

times = st.integers(0, 10**15)


def file_row(start_ns: int, end_ns: int, run: str = "r", width: int = 160) -> FileRow:
    """Return a file row of a span of time."""
    return FileRow(1, "id", "c", "main", run, "p", "h264", width, 96, start_ns, end_ns, 1, 1, b"", 1)


def span(start_ns: int, end_ns: int) -> RunSpan:
    """Return a span of time."""
    return RunSpan(start_ns, end_ns, VideoCodec.H264, 160, 96)


@st.composite
def ordered_spans(draw: st.DrawFn) -> list[RunSpan]:
    """Draw spans in order that do not overlap."""
    edges = sorted(draw(st.lists(times, min_size=0, max_size=12, unique=True)))
    return [span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]


@given(spans=ordered_spans(), a=times, b=times)
def test_holes_and_spans_make_up_the_range(spans: list[RunSpan], a: int, b: int) -> None:
    """What is covered and what is not add up to the range, and never overlap."""
    start_ns, end_ns = min(a, b), max(a, b) + 1
    shown = clip(spans, start_ns, end_ns)
    holes = uncovered(shown, start_ns, end_ns)
    pieces = sorted([(s.start_ns, s.end_ns) for s in shown] + holes)
    assert pieces[0][0] == start_ns
    assert pieces[-1][1] == end_ns
    assert all(before[1] == after[0] for before, after in pairwise(pieces))


@given(starts=st.lists(st.tuples(times, st.integers(1, 10**12)), max_size=10))
def test_spans_never_overlap(starts: list[tuple[int, int]]) -> None:
    """However files overlap, each moment is told once, in order."""
    files = [file_row(start, start + length, run=str(number)) for number, (start, length) in enumerate(sorted(starts))]
    spans = spans_of(files)
    assert all(before.end_ns <= after.start_ns for before, after in pairwise(spans))
    assert all(one.start_ns < one.end_ns for one in spans)
    if files:
        assert (spans[0].start_ns, spans[-1].end_ns) == (files[0].start_ns, max(file.end_ns for file in files))


def test_files_of_one_run_are_one_span() -> None:
    """Files that follow each other in a run join; another run or format does not."""
    files = [file_row(0, 10), file_row(10 + NS_PER_S // 2, 2 * NS_PER_S),
             file_row(2 * NS_PER_S, 3 * NS_PER_S, width=320),
             file_row(3 * NS_PER_S, 4 * NS_PER_S, run="s", width=320)]  # fmt: skip
    assert [(s.start_ns, s.end_ns) for s in spans_of(files)] == [
        (0, 2 * NS_PER_S),
        (2 * NS_PER_S, 3 * NS_PER_S),
        (3 * NS_PER_S, 4 * NS_PER_S),
    ]


def test_a_hole_between_footage_is_always_explained() -> None:
    """Retention first, then what was written, and what nobody wrote is the host's."""
    second = NS_PER_S
    written = [GapRow(1, 20 * second, 30 * second, "network", "reset"), GapRow(2, 50 * second, None, "camera", "gone")]
    told = explain((0, 60 * second), written, 10 * second, between=True, whole=True)
    assert told == [
        GapSpan(0, 10 * second, GapCause.RETENTION, "older than the retention allows"),
        GapSpan(10 * second, 20 * second, GapCause.HOST, "no cause was written"),
        GapSpan(20 * second, 30 * second, GapCause.NETWORK, "reset"),
        GapSpan(30 * second, 50 * second, GapCause.HOST, "no cause was written"),
        GapSpan(50 * second, 60 * second, GapCause.CAMERA, "gone"),
    ]


def test_before_the_first_recording_nothing_is_missing() -> None:
    """A hole at the edge without a fact is no gap; one shorter than a second is none either."""
    assert explain((0, 10 * NS_PER_S), [], None, between=False, whole=True) == []
    assert explain((0, NS_PER_S // 2), [], None, between=True, whole=True) == []
    assert explain((5, 10), [GapRow(1, 0, 5, "host", "")], None, between=False, whole=True) == []


@given(ticks=st.integers(0, 2**50))
def test_ticks_and_nanoseconds_agree(ticks: int) -> None:
    """A time in ticks survives the way through nanoseconds to within one tick, and never grows."""
    assert ticks - ns_to_ticks(ticks_to_ns(ticks)) in (0, 1)


@given(kinds=st.lists(st.sampled_from([KEYFRAME | ENDS_GOP, KEYFRAME, 0, ENDS_GOP]), max_size=30))
def test_segments_begin_with_keyframes(kinds: list[int]) -> None:
    """Every GOP begins with its keyframe; together they hold every fragment from the first keyframe on."""
    rows = [FragmentRow(number, 0, 1, 1, number, 1, flags, b"") for number, flags in enumerate(kinds)]
    segments = list(gops(file_row(0, 1), rows))
    assert all(segment.fragments[0].keyframe for segment in segments)
    assert all(not fragment.keyframe for segment in segments for fragment in segment.fragments[1:])
    held = [fragment.idx for segment in segments for fragment in segment.fragments]
    assert held == list(range(len(rows) - len(held), len(rows)))
