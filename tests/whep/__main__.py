"""``python -m tests.whep URL``: one line for each check; the exit status is 1 if any failed, 2 if none passed."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from dataclasses import fields

from tests.whep.checks import CHECKS
from tests.whep.endpoint import Options
from tests.whep.run import Outcome, Result, run

_DEFAULTS = {field.name: field.default for field in fields(Options)}


def arguments(given: Sequence[str]) -> tuple[Options, list[str]]:
    """Return what the command line says: options, and the names of the checks to make (all, if none)."""
    parser = argparse.ArgumentParser(prog="python -m tests.whep", description="Check a WHEP endpoint.")
    parser.add_argument("url", help="where players post their offers")
    parser.add_argument("--token", help="the bearer token that it wants")
    parser.add_argument("--insecure", action="store_true", help="take any certificate")
    parser.add_argument("--patience-s", type=float, help="how long a session that nobody uses may be remembered")
    parser.add_argument("--frames-s", type=float, help="how long pictures may be away")
    parser.add_argument("--silence-s", type=float, help="how long to listen for what should not come")
    parser.add_argument("--burst", type=int, help="requests after which no limit is looked for any more")
    parser.add_argument("--idle-url", help="an endpoint that has nothing to show: it should answer 409")
    parser.add_argument("--fill", type=int, help="open so many views: the next should be answered 503")
    parser.add_argument("--origin", help="a web origin whose pages may play")
    parser.add_argument("--only", action="append", default=[], choices=sorted(CHECKS), help="make this check alone")
    parser.set_defaults(**{name: value for name, value in _DEFAULTS.items() if name != "url"})
    parsed = vars(parser.parse_args(given))
    only = parsed.pop("only")
    return Options(**parsed), only


def line(result: Result) -> str:
    """Return a result as a line of the table."""
    why = f"  ({result.why})" if result.why else ""
    return f"{result.outcome.value:4}  {result.check.section:16}  {result.check.name:40}  {result.check.says}{why}"


def summary(results: Sequence[Result]) -> tuple[str, int]:
    """Return the last line, and the exit status."""
    counts = {outcome: sum(result.outcome is outcome for result in results) for outcome in Outcome}
    said = ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items())
    status = 1 if counts[Outcome.FAIL] else 0 if counts[Outcome.PASS] else 2
    return f"{len(results)} checks: {said}", status


def main(given: Sequence[str]) -> int:
    """Make the checks, print the table, and return the exit status."""
    options, only = arguments(given)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    results = asyncio.run(run(options, only=only, told=lambda result: print(line(result), flush=True)))  # noqa: T201
    last, status = summary(results)
    print(last)  # noqa: T201
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
