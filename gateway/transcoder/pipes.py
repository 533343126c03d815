"""The two pipes of a confined process, and what it does before it reads from them."""

import os
import select
import sys
from collections.abc import Callable

from gateway.transcoder.confine import SECCOMP, confine
from gateway.transcoder.framing import HEAD, UNCONFINED, FramingError, Message, body_bytes, pack, unpack

_STDIN, _STDOUT = 0, 1


class Pipes:
    """Blocking messages over two file descriptors."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._read_fd = read_fd
        self._write_fd = write_fd

    def waiting(self) -> bool:
        """Return whether more has come already."""
        return bool(select.select([self._read_fd], [], [], 0)[0])

    def read(self) -> Message | None:
        """Return the next message, ``None`` where the other side has gone."""
        head = self._exactly(HEAD.size)
        body = self._exactly(body_bytes(head)) if head is not None else None
        return unpack(head, body) if head is not None and body is not None else None

    def _exactly(self, count: int) -> bytes | None:
        pieces = []
        while count:
            piece = os.read(self._read_fd, count)
            if not piece:
                return None
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def write(self, message: Message) -> None:
        """Write a message whole."""
        rest = memoryview(pack(message))
        while rest:
            rest = rest[os.write(self._write_fd, rest) :]


def run(serve: Callable[[Pipes], None]) -> None:
    """Confine this process, then have it serve until its input ends."""
    undone = confine()
    if undone:
        sys.stderr.write(f"{UNCONFINED}{' '.join(undone)}\n")
        sys.stderr.flush()
    if SECCOMP in undone:
        sys.exit("the system lets this process refuse itself nothing (seccomp), so it decodes nothing")
    try:
        serve(Pipes(_STDIN, _STDOUT))
    except BrokenPipeError:
        pass  # the host has gone, and we go with it
    except FramingError as error:
        sys.exit(f"framing: {error}")
