"""Byte ranges (RFC 9110 section 14) of a body that is in memory."""

import re

from starlette.requests import Request
from starlette.responses import Response

_RANGE = re.compile(r"bytes=(\d{1,15})?-(\d{1,15})?")


def ranged(request: Request, body: bytes, *, media_type: str) -> Response:
    """Return ``body``, or the one range of it that was asked for; several ranges at once get the whole."""
    wanted = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    headers = {"Accept-Ranges": "bytes"}
    if wanted is None or wanted[0] == "bytes=-":
        return Response(body, media_type=media_type, headers=headers)
    first, last = bounds(wanted[1], wanted[2], len(body))
    if first > last:
        headers["Content-Range"] = f"bytes */{len(body)}"
        return Response(status_code=416, headers=headers)
    headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
    return Response(body[first : last + 1], status_code=206, media_type=media_type, headers=headers)


def bounds(first: str | None, last: str | None, size: int) -> tuple[int, int]:
    """Return the first and last byte that a range means; first beyond last where it means none."""
    if first is None:
        return max(0, size - int(last or 0)), size - 1
    begin = int(first)
    if begin >= size or (last is not None and int(last) < begin):
        return 1, 0
    return begin, min(size - 1, int(last) if last is not None else size - 1)
