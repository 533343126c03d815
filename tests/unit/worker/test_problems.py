"""Errors of the rooms below become problem details with a fitting status."""

import importlib
from collections.abc import Iterator

import pytest

from gateway.live.errors import LiveNotLiveError
from gateway.worker.problems import NoHeadError, NoSuchCameraError, problem_of
from kernel.errors import SightlineError

TREES = ("drivers.errors", "ptz.errors", "recording.errors", "gateway.live.errors", "gateway.worker.problems")


def _kinds() -> Iterator[type[SightlineError]]:
    for name in TREES:
        for kind in vars(importlib.import_module(name)).values():
            if isinstance(kind, type) and issubclass(kind, SightlineError) and kind is not SightlineError:
                yield kind


KINDS = {kind.code: kind for kind in _kinds()}


@pytest.mark.parametrize("kind", sorted(KINDS), ids=str)
def test_every_error_has_a_status(kind: str) -> None:
    """No expected failure of any room below travels as an unknown one."""
    problem = problem_of(KINDS[kind]("It failed.", cure="Mend it."))
    assert 400 <= problem.status < 600
    assert (problem.type, problem.title, problem.cure) == (kind, "It failed.", "Mend it.")


@pytest.mark.parametrize(
    ("error", "status", "retry_after_s"),
    [
        (NoSuchCameraError("No."), 404, None),
        (NoHeadError("No."), 404, None),
        (LiveNotLiveError("No."), 409, 2),
        (SightlineError("No."), 500, None),
    ],
)
def test_the_status_fits(error: SightlineError, status: int, retry_after_s: int | None) -> None:
    """Absence is 404, not now is 409 with a time to retry, and what nobody foresaw is 500."""
    problem = problem_of(error)
    assert (problem.status, problem.retry_after_s) == (status, retry_after_s)
