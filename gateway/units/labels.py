"""The labels that are printed for units: their name in words, as a QR code and as Code 128, and whose they are.

The QR code holds the label's text alone, as the bar code does: it is short, so that its squares are large enough to be
read in rain from arm's length, and it leads nobody who scans it anywhere.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import segno
from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

FONT, BOLD = "Helvetica", "Helvetica-Bold"
QUIET_MODULES = 4
"""Light modules around a QR code (ISO/IEC 18004)."""
BARCODE_QUIET = 10
"""Narrow bars of light on either side of a Code 128 (ISO/IEC 15417)."""
BAR_LEAST_MM = 0.19
"""A narrow bar below this is no longer read by a phone; then there is the QR code alone."""
LABELS_MAX = 210
"""Labels in one document: ten of the fullest sheets."""
MARGIN = 2.5 * mm


class LabelSize(StrEnum):
    """Labels that are sold: sheets of A4 (63.5 x 38.1 mm is Avery L7160), and single ones of a roll."""

    SHEET_8 = "a4-8"
    SHEET_14 = "a4-14"
    SHEET_21 = "a4-21"
    ROLL_62X29 = "62x29"
    ROLL_89X36 = "89x36"
    ROLL_100X50 = "100x50"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A page and the labels on it, in points; the first is at the upper left. ``pitch`` is from label to label."""

    page: tuple[float, float]
    label: tuple[float, float]
    columns: int = 1
    rows: int = 1
    left: float = 0.0
    top: float = 0.0
    pitch: tuple[float, float] = (0.0, 0.0)

    @property
    def count(self) -> int:
        """Return how many labels a page has."""
        return self.columns * self.rows


def _roll(width_mm: float, height_mm: float) -> Paper:
    return Paper(page=(width_mm * mm, height_mm * mm), label=(width_mm * mm, height_mm * mm))


PAPERS = {
    LabelSize.SHEET_8: Paper(
        page=A4,
        label=(99.1 * mm, 67.7 * mm),
        columns=2,
        rows=4,
        left=4.65 * mm,
        top=13.1 * mm,
        pitch=(101.6 * mm, 67.7 * mm),
    ),
    LabelSize.SHEET_14: Paper(
        page=A4,
        label=(99.1 * mm, 38.1 * mm),
        columns=2,
        rows=7,
        left=4.65 * mm,
        top=15.15 * mm,
        pitch=(101.6 * mm, 38.1 * mm),
    ),
    LabelSize.SHEET_21: Paper(
        page=A4,
        label=(63.5 * mm, 38.1 * mm),
        columns=3,
        rows=7,
        left=7.25 * mm,
        top=15.15 * mm,
        pitch=(66.0 * mm, 38.1 * mm),
    ),
    LabelSize.ROLL_62X29: _roll(62, 29),
    LabelSize.ROLL_89X36: _roll(89, 36),
    LabelSize.ROLL_100X50: _roll(100, 50),
}


def labels_pdf(
    labels: Sequence[str], *, size: LabelSize, first: int = 1, owner: str = "", telephone: str = ""
) -> bytes:
    """Return a PDF with a label for each of ``labels``. Blocks for some tens of milliseconds a page.

    ``first`` is the place on the first sheet to begin at, 1 is the upper left: a sheet is used in several goes.
    """
    paper, out = PAPERS[size], io.BytesIO()
    canvas = Canvas(out, pagesize=paper.page, pageCompression=1, invariant=1)
    canvas.setTitle(f"Labels: {', '.join(labels[:8])}{' …' if len(labels) > 8 else ''}")
    canvas.setCreator("Sightline")
    place = first - 1
    for number, label in enumerate(labels):
        if place >= paper.count:
            canvas.showPage()
            place = 0
        row, column = divmod(place, paper.columns)
        x = paper.left + column * paper.pitch[0]
        y = paper.page[1] - paper.top - row * paper.pitch[1] - paper.label[1]
        canvas.saveState()
        canvas.translate(x, y)
        _draw(canvas, paper.label, label, owner=owner, telephone=telephone)
        canvas.restoreState()
        canvas.bookmarkPage(f"label-{number}")
        place += 1
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _draw(canvas: Canvas, size: tuple[float, float], label: str, *, owner: str, telephone: str) -> None:
    """Draw one: the QR code on the left as high as the label, the rest beside it."""
    width, height = size
    side = min(height - 2 * MARGIN, width * 0.45)
    _qr(canvas, label, x=MARGIN, y=(height - side) / 2, side=side)
    left = MARGIN + side + 1.5 * mm
    room = width - left - MARGIN
    top = height - MARGIN
    large = _fitting(label, BOLD, room, min(30.0, height * 0.26))
    canvas.setFont(BOLD, large)
    canvas.drawString(left, top - large * 0.8, label)
    line = top - large * 1.05
    for text in (owner, f"Tel. {telephone}" if telephone else ""):
        if text:
            small = _fitting(text, FONT, room, 8.5)
            line -= small * 1.15
            canvas.setFont(FONT, small)
            canvas.drawString(left, line, text)
    _barcode(canvas, label, x=left, y=MARGIN, room=(room, line - 2.0 * mm - MARGIN))


def _qr(canvas: Canvas, label: str, *, x: float, y: float, side: float) -> None:
    code = segno.make_qr(label, error="q")
    rows = [list(row) for row in code.matrix_iter(scale=1, border=QUIET_MODULES)]
    module = side / len(rows)
    canvas.setFillGray(0)
    for down, row in enumerate(rows):
        for across, dark in enumerate(row):
            if dark:
                canvas.rect(x + across * module, y + side - (down + 1) * module, module, module, stroke=0, fill=1)


def _barcode(canvas: Canvas, label: str, *, x: float, y: float, room: tuple[float, float]) -> None:
    """Draw the Code 128 as wide as there is room, where its bars can be read then."""
    width, height = room
    modules = Code128(label, barWidth=1.0, quiet=0).width + 2 * BARCODE_QUIET
    bar = min(width / modules, 0.5 * mm)
    if bar < BAR_LEAST_MM * mm or height < 5 * mm:
        return
    code = Code128(label, barWidth=bar, barHeight=min(height, 14 * mm), quiet=0, humanReadable=False)
    code.drawOn(canvas, x + BARCODE_QUIET * bar, y)


def _fitting(text: str, font: str, room: float, largest: float) -> float:
    """Return the size in points, ``largest`` at most, at which a text is no wider than its room."""
    width: float = stringWidth(text, font, largest)
    return min(largest, largest * room / max(width, 1.0))
