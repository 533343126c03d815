"""Why a deployment waits for a person."""

from enum import StrEnum


class Why(StrEnum):
    """What is to be done."""

    ALARM = "alarm"
    """Its unit has left its place, leans or is open; or something happened to it that nobody has acknowledged."""
    OVERSTAYED = "overstayed"
    """Its longest stay is past and it still stands: extend it or take it down. It records nothing meanwhile."""
    UNNEEDED = "unneeded"
    """A review found that it is not needed any more: take it down."""
    SIGNS = "signs"
    """The unit is down, or none will come, and its signs are not said to be down."""
    SIGN_OFF = "sign-off"
    """It was put up some time ago, and nobody has signed it off: who answers for how it was left?"""
    REVIEW = "review"
    STAY = "stay"
    """Its longest stay ends soon."""
    EVALUATION = "evaluation"
    DECISION = "decision"
    """Referred, and nobody has decided."""


TOLD_OTHERWISE = frozenset({Why.ALARM, Why.OVERSTAYED})
"""What is said when it happens: the alarm itself, and that a stay is over. All else is said to be due."""
