"""The camera's own RTP payloads of a picture, where they carry its NAL units and nothing else.

Who sends a picture on can then send these, instead of cutting it anew. Only payloads that follow RFC 6184 and
RFC 7798 to the letter pass: what the depacketiser mends (start codes inside, fragment types that change, forgotten
End bits) would reach viewers unmended.
"""

from collections.abc import Sequence

from drivers.rtsp.nal_units import NalKinds
from kernel.media import VideoCodec

_START, _END = 0x80, 0x40


def exact_payloads(payloads: Sequence[bytes], nals: Sequence[bytes], kinds: NalKinds) -> tuple[bytes, ...]:
    """Return those of ``payloads`` that carry ``nals``, in order, whole and alone; empty where they do not.

    Payloads that carry only parameter sets, delimiters and the like (which stand in no ``AccessUnit``) are left out.
    """
    kept: list[bytes] = []
    carried: list[bytes] = []
    open_pieces: list[bytes] = []
    for payload in payloads:
        form = kinds.kind(payload)
        if form == kinds.fragment:
            if len(payload) < kinds.header_bytes + 2:
                return ()
            open_pieces.append(payload)
            if not payload[kinds.header_bytes] & _END:
                continue
            nal = _joined(open_pieces, kinds)
            pieces, open_pieces = open_pieces, []
            units = [] if nal is None else [nal]
        elif open_pieces:
            return ()
        else:
            pieces = [payload]
            units = _taken_apart(payload, kinds) if form == kinds.aggregate else [payload]
        passed = [kinds.passed(unit) for unit in units]
        if not units or any(passed) != all(passed):
            return ()
        if passed[0]:
            kept += pieces
            carried += units
    return tuple(kept) if not open_pieces and carried == list(nals) else ()


def _joined(pieces: list[bytes], kinds: NalKinds) -> bytes | None:
    """Return the NAL unit of one row of fragments (RFC 6184 section 5.8, RFC 7798 section 4.4.3)."""
    at = kinds.header_bytes
    first, last = pieces[0], len(pieces) - 1
    for index, piece in enumerate(pieces):
        flags = (_START if index == 0 else 0) | (_END if index == last else 0)
        # The Start and End bits never stand in one fragment: last is never 0 here.
        if piece[:at] != first[:at] or piece[at] & 0xC0 != flags or (piece[at] ^ first[at]) & 0x3F or last == 0:
            return None
    kind = first[at] & 0x3F
    if kinds.codec is VideoCodec.H265:
        header = bytes((first[0] & 0x81 | kind << 1, first[1]))
    else:
        header = bytes((first[0] & 0xE0 | kind,))
    return b"".join((header, *(piece[at + 1 :] for piece in pieces)))


def _taken_apart(payload: bytes, kinds: NalKinds) -> list[bytes]:
    """Return the NAL units of an aggregation packet; none where its sizes do not add up."""
    units: list[bytes] = []
    at = kinds.header_bytes
    while at + 2 <= len(payload):
        stop = at + 2 + int.from_bytes(payload[at : at + 2], "big")
        units.append(payload[at + 2 : stop])
        if stop > len(payload) or len(units[-1]) < kinds.header_bytes:
            return []
        at = stop
    return units if at == len(payload) else []
