"""Printed labels: what is on them can be read back out of the PDF, and nothing stands beside its label."""

import base64
import re
import zlib

import pytest
import segno
from reportlab.lib.units import mm

from gateway.units.labels import MARGIN, PAPERS, LabelSize, labels_pdf

Rect = tuple[float, float, float, float]
MATRIX = re.compile(r"1 0 0 1 (\S+) (\S+) cm")
RECT = re.compile(r"(\S+) (\S+) (\S+) (\S+) re")


class Page:
    """What is drawn on one page: texts, and black rectangles (x, y, width, height in points)."""

    def __init__(self, stream: bytes) -> None:
        text = zlib.decompress(base64.a85decode(stream.strip().removesuffix(b"~>"))).decode("latin-1")
        self.texts = re.findall(r"\(((?:\\.|[^)])*)\) Tj", text)
        self.rects: list[Rect] = []
        stack, at = [], (0.0, 0.0)
        for line in text.splitlines():
            stack += [at] * line.split().count("q")
            if found := MATRIX.search(line):
                at = at[0] + float(found[1]), at[1] + float(found[2])
            for x, y, width, height in RECT.findall(line):
                self.rects.append((at[0] + float(x), at[1] + float(y), float(width), float(height)))
            for _ in range(line.split().count("Q")):
                at = stack.pop()


def pages(pdf: bytes) -> list[Page]:
    """Return the pages of a PDF."""
    return [Page(one) for one in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)]


def qr_of(page: Page) -> list[list[int]]:
    """Return the modules of the page's QR code, read from where its squares stand."""
    squares = [one for one in page.rects if abs(one[2] - one[3]) < 1e-3]
    module = squares[0][2]
    left, top = min(x for x, *_ in squares), max(y for _, y, *_ in squares)
    dark = {(round((top - y) / module), round((x - left) / module)) for x, y, *_ in squares}
    size = max(max(place) for place in dark) + 1
    return [[int((row, column) in dark) for column in range(size)] for row in range(size)]


@pytest.mark.parametrize("size", [LabelSize.ROLL_62X29, LabelSize.ROLL_89X36, LabelSize.ROLL_100X50])
def test_a_label_says_whose_it_is_and_its_name_three_ways(size: LabelSize) -> None:
    """In words, as the QR code that /field scans (its text alone), and as a Code 128."""
    (page,) = pages(labels_pdf(["D017"], size=size, owner="London Borough of Haringey", telephone="020 8489 1000"))
    assert page.texts == ["D017", "London Borough of Haringey", "Tel. 020 8489 1000"]
    assert qr_of(page) == [list(row) for row in segno.make_qr("D017", error="q").matrix]
    bars = [one for one in page.rects if one[3] > 2 * one[2] and one[3] > 5 * mm - 1e-3]
    left, narrow = min(x for x, *_ in bars), min(width for _, _, width, _ in bars)
    begins = [round((x - left) / narrow) for x, *_ in sorted(bars)]
    # Of each character three bars in eleven modules, and the last bar of the stop (ISO/IEC 15417 section 4.2).
    assert len(begins) % 3 == 1
    assert begins[::3] == [11 * place for place in range(len(begins[::3]))]
    assert len(begins) // 3 >= len("D017") + 3


@pytest.mark.parametrize("size", list(LabelSize))
def test_nothing_stands_beside_its_label(size: LabelSize) -> None:
    """Every square and bar lies inside one of the paper's labels, with its margin."""
    paper = PAPERS[size]
    labels = [f"D{number:03}" for number in range(1, paper.count + 1)]
    (page,) = pages(labels_pdf(labels, size=size, owner="London Borough of Haringey", telephone="020 8489 1000"))
    places = []
    for place in range(paper.count):
        row, column = divmod(place, paper.columns)
        x = paper.left + column * paper.pitch[0]
        y = paper.page[1] - paper.top - row * paper.pitch[1] - paper.label[1]
        places.append((x, y, x + paper.label[0], y + paper.label[1]))
    for x, y, width, height in page.rects:
        inside = [
            one
            for one in places
            if one[0] + MARGIN - 0.1 <= x
            and x + width <= one[2] - MARGIN + 0.1
            and one[1] + MARGIN - 0.1 <= y
            and y + height <= one[3] - MARGIN + 0.1
        ]
        assert len(inside) == 1
    assert page.texts[::3] == labels


def test_a_sheet_that_was_begun_is_used_up_first() -> None:
    """Two labels from the last place on: one on this sheet, one at the beginning of the next."""
    first, second = pages(labels_pdf(["D001", "D002"], size=LabelSize.SHEET_21, first=21))
    assert (first.texts, second.texts) == (["D001"], ["D002"])
    paper = PAPERS[LabelSize.SHEET_21]
    assert min(x for x, *_ in first.rects) > paper.left + 2 * paper.pitch[0]
    assert max(x for x, *_ in second.rects) < paper.left + paper.pitch[0]


def test_bars_that_no_phone_reads_are_not_printed() -> None:
    """The longest label on the smallest paper has its QR code, and no bars finer than can be read."""
    label = "HARINGEY-DEPLOYABLE-CAMERA-00017"
    (page,) = pages(labels_pdf([label], size=LabelSize.ROLL_62X29))
    assert qr_of(page) == [list(row) for row in segno.make_qr(label, error="q").matrix]
    assert page.texts == [label]
    assert [one for one in page.rects if one[3] > 2 * one[2]] == []


def test_the_same_label_is_the_same_file() -> None:
    """No time and no number stands in it: what was printed can be printed again."""
    assert labels_pdf(["D017"], size=LabelSize.SHEET_8) == labels_pdf(["D017"], size=LabelSize.SHEET_8)
