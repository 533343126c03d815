"""What a phone's camera sees of a printed label: a video file that Chromium takes for a camera (YUV4MPEG2)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import segno

SIZE = (640, 480)
PAPER, INK = 225, 30
_CODE_39 = {"*": "010010100", "D": "000011001", "0": "000110100", "1": "100100001", "7": "000100101"}
"""ISO/IEC 16388: bars and spaces in turn, 1 is wide. Those that the tests' labels have."""


def qr_code(text: str) -> npt.NDArray[np.bool_]:
    """Return the modules of a QR code, dark ones true."""
    return np.array([list(row) for row in segno.make(text, error="m").matrix], dtype=bool)


def code_39(text: str) -> npt.NDArray[np.bool_]:
    """Return one row of a Code 39 barcode in narrow widths, dark ones true."""
    bars: list[bool] = []
    for sign in f"*{text}*":
        for at, wide in enumerate(_CODE_39[sign]):
            bars += [at % 2 == 0] * (3 if wide == "1" else 1)
        bars.append(False)
    return np.array([bars], dtype=bool)


def label_video(path: Path, code: npt.NDArray[np.bool_]) -> Path:
    """Write two pictures of a code on paper, which Chromium plays again and again, and return the file."""
    width, height = SIZE
    rows, columns = code.shape
    scale = min(width * 3 // 4 // columns, height * 3 // 4 // rows if rows > 1 else height)
    tall = scale if rows > 1 else 160
    inked = np.kron(code, np.ones((tall, scale), dtype=bool))
    luma = np.full((height, width), PAPER, dtype=np.uint8)
    top, left = (height - inked.shape[0]) // 2, (width - inked.shape[1]) // 2
    luma[top : top + inked.shape[0], left : left + inked.shape[1]][inked] = INK
    grey = np.full(width * height // 2, 128, dtype=np.uint8).tobytes()
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode())
        for _ in range(2):
            file.write(b"FRAME\n" + luma.tobytes() + grey)
    return path
