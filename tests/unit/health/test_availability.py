"""The arithmetic of a month."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from gateway.health.availability import LOSSES, figures, month_of
from kernel.clock import utc
from kernel.media import GapCause


@dataclass(frozen=True)
class Piece:
    """A span, or a gap."""

    start_ns: int
    end_ns: int
    cause: GapCause = GapCause.CAMERA


def pieces(cuts: list[int], kinds: list[GapCause | None]) -> tuple[list[Piece], list[Piece]]:
    """Return spans and gaps between cuts, by turns as ``kinds`` say; ``None`` is footage."""
    spans: list[Piece] = []
    gaps: list[Piece] = []
    for start, end, kind in zip(cuts, cuts[1:], kinds, strict=False):
        (spans if kind is None else gaps).append(Piece(start, end, kind or GapCause.CAMERA))
    return spans, gaps


@given(
    cuts=st.lists(st.integers(-100, 1100), min_size=2, max_size=30, unique=True).map(sorted),
    kinds=st.lists(st.sampled_from([None, *GapCause]), min_size=30, max_size=30),
)
def test_every_instant_counts_once(cuts: list[int], kinds: list[GapCause | None]) -> None:
    """Recorded, lost, withheld and unknown make up the range, whatever reaches beyond it."""
    spans, gaps = pieces(cuts, kinds)
    found = figures(spans, gaps, start_ns=0, end_ns=1000)
    assert found.recorded_ns + sum(found.lost_ns.values()) + found.withheld_ns + found.off_ns + found.unknown_ns == 1000
    assert found.share is None or 0.0 <= found.share <= 1.0


def test_what_was_lost_is_told_by_cause() -> None:
    """Half recorded, a tenth lost to the camera, a tenth to the disks."""
    gaps = [Piece(500, 600, GapCause.CAMERA), Piece(600, 700, GapCause.STORAGE)]
    found = figures([Piece(0, 500)], gaps, start_ns=0, end_ns=1000)
    assert (found.recorded_ns, dict(found.lost_ns)) == (500, {GapCause.CAMERA: 100, GapCause.STORAGE: 100})
    assert found.share == 500 / 700
    assert found.unknown_ns == 300


def test_what_is_nobodys_loss_does_not_count_against_a_camera() -> None:
    """Privacy, retention and recording that was switched off: it was there, and did what it was to do."""
    gaps = [Piece(0, 300, GapCause.RETENTION), Piece(300, 500, GapCause.PRIVACY), Piece(500, 600, GapCause.OFF)]
    found = figures([Piece(600, 1000)], gaps, start_ns=0, end_ns=1000)
    assert (found.share, found.withheld_ns, found.off_ns, found.unknown_ns) == (1.0, 200, 100, 300)
    assert not {GapCause.PRIVACY, GapCause.RETENTION, GapCause.OFF} & set(LOSSES)


def test_footage_outweighs_a_gap_over_it() -> None:
    """What can be played was recorded."""
    found = figures([Piece(100, 200), Piece(300, 400)], [Piece(0, 500)], start_ns=0, end_ns=500)
    assert (found.recorded_ns, found.lost_ns[GapCause.CAMERA]) == (200, 300)


def test_of_nothing_there_is_no_share() -> None:
    """Nor of what privacy forbade alone."""
    assert figures((), (), start_ns=0, end_ns=0).share is None
    assert figures((), [Piece(0, 9, GapCause.PRIVACY)], start_ns=0, end_ns=9).share is None


@given(st.integers(1970, 2199), st.integers(1, 12))
def test_a_month_is_whole(year: int, month: int) -> None:
    """From its first instant until before the next one's."""
    found = month_of(year, month)
    assert (utc(found.start_ns).month, utc(found.start_ns).day, utc(found.end_ns).day) == (month, 1, 1)
    assert utc(found.end_ns - 1_000).month == month
