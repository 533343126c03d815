"""Errors as the command says them: one sentence with its cure, and an exit code. A bug keeps its traceback.

2: this machine does not let it run (port taken, disk full). 78 (EX_CONFIG): the configuration has to be mended, so the
service manager need not try again. 1: what was asked for could not be done, or checking found something wrong.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.text import Text

from config.errors import ConfigError
from gateway.db.errors import DatabaseUnusableError
from gateway.startup import StartError
from gateway.vault import KeyFileError
from kernel.errors import SightlineError

FAILED = 1
CANNOT_RUN = 2
CONFIGURATION = 78


@contextmanager
def plainly() -> Iterator[None]:
    """Turn an expected failure in the block into its sentence on standard error, and an exit code."""
    try:
        yield
    except Exception as error:
        known = expected(error)
        if known is None:
            raise
        say(known)
        raise typer.Exit(exit_code(known)) from None


def expected(error: BaseException) -> SightlineError | None:
    """Return the expected failure that an error is, or consists of when task groups passed it on."""
    if isinstance(error, SightlineError):
        return error
    if isinstance(error, BaseExceptionGroup):
        found = [expected(inner) for inner in error.exceptions]
        if all(one is not None for one in found):
            return found[0]
    return None


def exit_code(error: SightlineError) -> int:
    """Return what the command ends with."""
    if isinstance(error, ConfigError):
        return CONFIGURATION
    if isinstance(error, StartError):
        return error.exit_code
    if isinstance(error, DatabaseUnusableError | KeyFileError) or error.code.startswith("recording."):
        return CANNOT_RUN
    return FAILED


def say(error: SightlineError) -> None:
    """Print the sentence and, on a line of its own, the cure."""
    console = Console(stderr=True, soft_wrap=True)
    console.print(Text("sightline: ", style="bold").append(Text(error.message, style="not bold")))
    if error.cure:
        console.print(Text(f"           {error.cure}", style="dim" if sys.stderr.isatty() else ""))
