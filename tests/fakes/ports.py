"""Ports that must be known before anything listens on them."""

import itertools
import os
import random
import re
import socket

_FIRST = 20_000
_EACH = 1_000
_PROCESSES = 12
"""Below 32768, from where on the machine gives ports to whoever asks for any: what is free there may be somebody's in
the moment before it is listened on, or while what listens is started anew."""


def _own() -> range:
    """Return those of this process among the processes of a run."""
    worker = re.search(r"\d+", os.environ.get("PYTEST_XDIST_WORKER", ""))
    start = _FIRST + _EACH * (int(worker[0]) % _PROCESSES if worker else 0)
    return range(start, start + _EACH)


def _in_turn() -> "itertools.cycle[int]":
    """Return them from anywhere on: another run on this machine begins elsewhere."""
    own = _own()
    begin = random.randrange(_EACH)  # noqa: S311 - no secret
    return itertools.cycle([*own[begin:], *own[:begin]])


_ports = _in_turn()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a TCP port of this machine that nobody listens on now, and that nobody is given by chance.

    ``kind``: ``SOCK_DGRAM`` for UDP.
    """
    for port in itertools.islice(_ports, _EACH):
        with socket.socket(socket.AF_INET, kind) as trial:
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    msg = f"none of the ports {_own()} is free"
    raise AssertionError(msg)
