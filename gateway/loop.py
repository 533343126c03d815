"""The event loop of a server process, and what it waits for, told on demand.

``kill -USR1 PID`` writes the stack of every task to standard error.
"""

import asyncio
import faulthandler
import signal
import sys
from collections.abc import Coroutine
from typing import Any, TextIO

import uvloop


def serve(work: Coroutine[Any, Any, None]) -> None:
    """Run a server process to its end, on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tell_on_signal(runner.get_loop())
        runner.run(work)


def tell_on_signal(loop: asyncio.AbstractEventLoop) -> None:
    """Write the stacks of all tasks of ``loop`` at SIGUSR1.

    In a process whose loop is stuck, and which hears nothing, SIGABRT writes those of its threads and ends it.
    """
    faulthandler.enable()
    loop.add_signal_handler(signal.SIGUSR1, write_tasks, loop, sys.stderr)


def write_tasks(loop: asyncio.AbstractEventLoop, to: TextIO) -> None:
    """Write where each task of ``loop`` stands, by name."""
    for task in sorted(asyncio.all_tasks(loop), key=lambda one: one.get_name()):
        to.write(f"--- {task.get_name()}\n")
        task.print_stack(limit=12, file=to)
    to.flush()
