"""Live views given to named people of other organisations, for a time, and taken back (docs/design/sharing.md)."""

from gateway.sharing.changes import (
    Began,
    Bell,
    Changed,
    Doer,
    Ended,
    Noted,
    Person,
    SharingChange,
    StickAsked,
    StickLent,
    StickRefused,
    StickTakenBack,
    StickWithdrawn,
    Tested,
)
from gateway.sharing.room import Sharing, open_sharing
from gateway.sharing.wishes import STANDING, ShareChange, ShareWish

__all__ = [
    "STANDING",
    "Began",
    "Bell",
    "Changed",
    "Doer",
    "Ended",
    "Noted",
    "Person",
    "ShareChange",
    "ShareWish",
    "Sharing",
    "SharingChange",
    "StickAsked",
    "StickLent",
    "StickRefused",
    "StickTakenBack",
    "StickWithdrawn",
    "Tested",
    "open_sharing",
]
