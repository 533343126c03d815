"""Makes the checks, one after another, and says what came of each."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

import httpx

from tests.whep import http_checks, ice_checks  # noqa: F401 - they register their checks
from tests.whep.checks import CHECKS, Check
from tests.whep.endpoint import NotApplicable, Options, open_endpoint


class Outcome(StrEnum):
    """What came of a check."""

    PASS = "pass"
    FAIL = "FAIL"
    NOT_APPLICABLE = "n/a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One check's outcome, and why."""

    check: Check
    outcome: Outcome
    why: str = ""


async def run(
    options: Options, *, only: Collection[str] = (), told: Callable[[Result], None] = lambda _: None
) -> list[Result]:
    """Make every check, or ``only`` those of these names; ``told`` hears of each at once."""
    results = []
    async with open_endpoint(options) as endpoint:
        for one in CHECKS.values():
            if only and one.name not in only:
                continue
            try:
                await one.trial(endpoint)
                result = Result(check=one, outcome=Outcome.PASS)
            except NotApplicable as reason:
                result = Result(check=one, outcome=Outcome.NOT_APPLICABLE, why=str(reason))
            except (AssertionError, httpx.HTTPError, TimeoutError) as error:
                result = Result(check=one, outcome=Outcome.FAIL, why=str(error) or type(error).__name__)
            except Exception as error:  # noqa: BLE001 - what an endpoint says may break any parser
                result = Result(check=one, outcome=Outcome.FAIL, why=f"{type(error).__name__}: {error}")
            told(result)
            results.append(result)
    return results
