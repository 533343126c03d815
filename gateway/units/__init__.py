"""Units that call in: register, certificates, what they last said, what was refused (docs/design/telemetry.md)."""

from gateway.units.changes import Change, Link, LinkChanged, Said, UnitChanged
from gateway.units.commanding import Commander, Told
from gateway.units.refusals import Refusal, Refusals
from gateway.units.register import Register
from gateway.units.report import Cause, Group, Lost, Report, Stored
from gateway.units.service import Units, open_units

__all__ = [
    "Cause",
    "Change",
    "Commander",
    "Group",
    "Link",
    "LinkChanged",
    "Lost",
    "Refusal",
    "Refusals",
    "Register",
    "Report",
    "Said",
    "Stored",
    "Told",
    "UnitChanged",
    "Units",
    "open_units",
]
