"""A camera host that the gateway supervises: ``python -m gateway.worker NUMBER``.

It is what ``sightline host`` is, without loading the rest of the command. Standard input brings the settings in one
line, and then nothing: its end is the order to end, whatever became of the gateway.
"""

import os
import signal
import sys
import threading
from typing import BinaryIO

import structlog

from config.handover import from_line
from gateway.logs import configure
from gateway.loop import serve
from gateway.worker.collector import calm_collector
from gateway.worker.server import serve_host
from kernel.clock import SystemClock
from kernel.errors import SightlineError

END_S = 20.0
"""To end in order once the gateway is gone."""
CANNOT_RUN = 2


def main() -> None:
    """Run it."""
    index = int(sys.argv[1])
    # Unbuffered: a buffer that another thread reads from may not be there any more when the process ends.
    with open(0, "rb", buffering=0, closefd=False) as supervisor:
        line = supervisor.readline()
        if not line:
            return
        settings = from_line(line)
        threading.Thread(target=_end_with, args=(supervisor,), name="supervisor", daemon=True).start()
        configure(settings.log)
        calm_collector()
        structlog.contextvars.bind_contextvars(host=index)
        refused: list[BaseException] = []
        try:
            serve(serve_host(settings.of_host(index), settings.host_socket(index), clock=SystemClock()))
        except* SightlineError as group:
            refused = _each(group)
    for error in refused:
        sys.stderr.write(f"sightline: camera host {index}: {error}\n")
    if refused:
        sys.exit(CANNOT_RUN)


def _each(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _each(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _end_with(supervisor: BinaryIO) -> None:
    """Wait for the end of the pipe, and see to it that this process does not outlive the gateway.

    In a thread: a loop that is stuck would never hear of it.
    """
    while supervisor.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(END_S)
    os._exit(1)


if __name__ == "__main__":
    main()
