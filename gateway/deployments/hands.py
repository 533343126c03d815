"""Who takes a step of a deployment, and what a site asks for."""

from dataclasses import dataclass
from enum import StrEnum


class Right(StrEnum):
    """What whoever takes a step must be allowed."""

    DEPLOY = "deploy"
    DECIDE = "decide"
    CLOCK = "clock"
    """Nobody: the passing of time does it, or the unit itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Who takes a step, and what they may."""

    user_id: str
    name: str
    rights: frozenset[Right]
    person: bool = True
    """Not a program: a decision is signed by somebody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the site asks for (``config.deployments``)."""

    criteria: tuple[str, ...]
    two_people: bool = True
    max_days: int = 84
    review_days: int = 28
    spread_m: float = 100.0
    sign_photos: bool = True
