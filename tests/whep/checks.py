"""What is checked. A check takes an endpoint, and raises ``AssertionError`` where it is not as it should be."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.whep.endpoint import Endpoint

Trial = Callable[[Endpoint], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """``section`` is of draft-ietf-wish-whep-03, unless another document is named."""

    name: str
    section: str
    says: str
    trial: Trial


CHECKS: dict[str, Check] = {}
"""In the order in which they are made."""


def check(section: str) -> Callable[[Trial], Trial]:
    """Make a function a check: its name with dashes, its docstring's first line for what it says."""

    def register(trial: Trial) -> Trial:
        name = trial.__name__.replace("_", "-")
        says = (trial.__doc__ or "").strip().splitlines()[0]
        CHECKS[name] = Check(name=name, section=section, says=says, trial=trial)
        return trial

    return register
