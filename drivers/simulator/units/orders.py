"""The commands that a unit understands: ``command/{name}`` with an ``id`` and what the command needs.

- ``locate``: tell position and signal now.
- ``reboot``.
- ``stream`` with ``stream``: ``main``, or ``sub`` to send as little as it can.
- ``data-budget`` with ``budget_bytes``: beyond that it sends as little as it can; null: no budget.
"""

from collections.abc import Mapping
from typing import Any

from drivers.simulator.units.unit import Unit


class Refusal(ValueError):  # noqa: N818 - it is what a unit answers, no failure of ours
    """Why a unit does not do what it was told; its text is the answer's ``error``."""


def obey(unit: Unit, name: str, order: Mapping[str, Any]) -> tuple[str, ...]:
    """Do it, and return the kinds of states that are to be told again.

    Raises:
        Refusal: it does not.
    """
    if name == "locate":
        return ("position", "signal")
    if name == "reboot":
        unit.reboot()
        return ()
    if name == "stream":
        _stream(unit, order.get("stream"))
        return ()
    if name == "data-budget":
        _budget(unit, order.get("budget_bytes"))
        return ()
    raise Refusal("unknown-command")


def _stream(unit: Unit, stream: object) -> None:
    if stream not in {"main", "sub"}:
        raise Refusal("malformed")
    if stream == "main" and unit.over_budget:
        raise Refusal("over-budget")
    unit.thin = stream == "sub"


def _budget(unit: Unit, budget_bytes: object) -> None:
    if budget_bytes is not None and (type(budget_bytes) is not int or budget_bytes < 0):
        raise Refusal("malformed")
    unit.budget_bytes = budget_bytes
