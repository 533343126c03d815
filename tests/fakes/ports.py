"""Ports that must be known before anything listens on them."""

import socket


def free_port() -> int:
    """Return a TCP port of this machine that nobody listens on now."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])
