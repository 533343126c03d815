"""Identifiers: time-ordered, so that rows land in order on disk and sort as they came."""

import os
import re
import time
from enum import StrEnum
from typing import NewType
from uuid import UUID

CameraId = NewType("CameraId", str)
"""One view of one device: what an operator calls a camera. 32 lower-case hex digits."""

_ID = re.compile(r"[0-9a-f]{32}")


class StreamName(StrEnum):
    """Which of a camera's two streams is meant (docs/design/domain.md, *profile / stream*)."""

    MAIN = "main"
    SUB = "sub"


def new_id() -> str:
    """Return a UUIDv7 (RFC 9562 section 5.7) as 32 lower-case hex digits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value).hex


def is_id(text: str) -> bool:
    """Return whether a text can be an identifier of ours, and is not somebody's own."""
    return _ID.fullmatch(text) is not None


def new_camera_id() -> CameraId:
    """Return an identifier for a camera enrolled now."""
    return CameraId(new_id())
