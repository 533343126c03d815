"""What the register of units refuses, and why.

UnitError (kernel.errors.SightlineError; ``status`` is the HTTP status that fits)
├── UnknownUnitError    there is no unit of that label
├── RetiredUnitError    it is retired: nothing is issued to it and nothing taken of it
├── UnknownCertificateError  it has no such certificate that is good
├── UnlistedError       certificates are revoked, and the brokers' list of them could not be written
├── LabelError          a label that cannot be one
└── RefusedError        a report is not taken; ``cause`` says why, and it is counted
"""

from collections.abc import Sequence

from gateway.units.report import Cause
from kernel.errors import SightlineError


class UnitError(SightlineError):
    """Root of this tree."""

    code = "unit.error"
    status = 409


class UnknownUnitError(UnitError):
    """There is no unit of that label."""

    code = "unit.unknown"
    status = 404

    def __init__(self, label: str) -> None:
        super().__init__(f"There is no unit {label}.", cure="Look at its label, or enrol it.")


class RetiredUnitError(UnitError):
    """It is retired: nothing is issued to it and nothing taken of it."""

    code = "unit.retired"

    def __init__(self, label: str) -> None:
        super().__init__(f"The unit {label} is retired.", cure="Enrol it under another label.")


class UnknownCertificateError(UnitError):
    """It has no such certificate that is good."""

    code = "unit.no-certificate"
    status = 404

    def __init__(self, label: str) -> None:
        super().__init__(f"The unit {label} has no such certificate that is good.", cure="Look at its list again.")


class UnlistedError(UnitError):
    """Certificates are revoked, and nothing more is taken by them; the list by which brokers know that is not.

    What follows from the revocation has followed, and the list is written anew again and again.
    """

    code = "unit.unlisted"
    status = 500

    def __init__(self, label: str, serials: Sequence[str], error: OSError) -> None:
        super().__init__(
            f"It is done, and nothing more is taken of unit {label} by what is revoked. But the list of revoked"
            f" certificates could not be written ({error.strerror or error}): a broker beside Sightline still lets it"
            " in.",
            cure="See to the gateway's disk: within a minute of that the list is written by itself.",
        )
        self.serials = tuple(serials)
        """What was revoked just now."""


class LabelError(UnitError):
    """A label that cannot be one."""

    code = "unit.label"
    status = 422


class RefusedError(UnitError):
    """A report is not taken; ``cause`` says why."""

    code = "unit.refused"

    def __init__(self, cause: Cause, said: str) -> None:
        super().__init__(said, cause=cause)
        self.cause = cause
