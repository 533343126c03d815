"""What deployments ask of a person, by when."""

from dataclasses import replace

import pytest

from gateway.deployments.geofence import LASTING, OVER
from gateway.deployments.geofence import Kind as Happening
from gateway.deployments.why import Why
from gateway.health.errands import Errand
from gateway.health.need import DAY_NS, Kind, Need, Urgency
from gateway.health.urgency import Round, Signs, needs
from gateway.tended import HAPPENED, LASTS
from kernel.clock import NS_PER_S
from kernel.ids import CameraId

NOW = 1_790_000_000 * NS_PER_S
REVIEW = Errand(
    deployment="d1", title="Mill Lane", kind=Kind.REVIEW, by_ns=NOW + 3 * DAY_NS, overdue=False, unit="D017"
)
ALARM = replace(
    REVIEW, kind=Kind.ALARM, by_ns=NOW - 5, overdue=True, unseen=True, happened=("has left its place", "was knocked")
)


def need_of(errand: Errand) -> Need:
    """Return what it needs."""
    (need,) = needs(Round(errands=[errand]), now_ns=NOW)
    return need


def test_an_alarm_that_nobody_has_acknowledged_is_for_now() -> None:
    """Since it was raised, with all that happened; acknowledged, it is for today for as long as it lasts."""
    need = need_of(ALARM)
    assert (need.urgency, need.since_ns, need.cause) == (
        Urgency.NOW,
        NOW - 5,
        "Unit D017 has left its place, was knocked.",
    )
    assert (need.whose.deployment, need.title) == ("d1", "Mill Lane")
    assert need_of(replace(ALARM, unseen=False)).urgency is Urgency.TODAY


def test_an_alarm_of_a_unit_that_is_down_is_of_while_it_stood_there() -> None:
    """What its camera shows now is of another place: what it recorded then is to be looked at."""
    need = need_of(replace(ALARM, down=True))
    assert need.cause == "Unit D017 has left its place, was knocked, while it stood there."
    assert need.cure == "See what its camera recorded then, and acknowledge it."


def test_an_alarm_stands_before_everything_else() -> None:
    """Before a camera that gives no picture."""
    camera = Signs(camera=CameraId("c1"), live=False)
    found = needs(Round(cameras=[camera], errands=[REVIEW, ALARM]), now_ns=NOW)
    assert [one.kind for one in found] == [Kind.ALARM, Kind.NO_PICTURE, Kind.REVIEW]


def test_what_is_overdue_is_for_today() -> None:
    """Since it was due; what is due before long is for soon, with how many days there are."""
    soon, late = need_of(REVIEW), need_of(replace(REVIEW, by_ns=NOW - DAY_NS, overdue=True))
    assert (soon.urgency, soon.since_ns, soon.cause) == (
        Urgency.SOON,
        None,
        "The review of unit D017 is due in 3 days.",
    )
    assert (late.urgency, late.since_ns, late.cause) == (
        Urgency.TODAY,
        NOW - DAY_NS,
        "The review of unit D017 is overdue.",
    )


@pytest.mark.parametrize("why", Why)
def test_whatever_may_be_due_has_its_words(why: Why) -> None:
    """Cause and cure, overdue or not."""
    for overdue in (False, True):
        need = need_of(replace(ALARM, kind=Kind(why.value), overdue=overdue))
        assert need.cause.endswith(".")
        assert need.cure.endswith(".") or need.cure.endswith("?")


def test_whatever_may_happen_to_a_unit_has_its_words() -> None:
    """But for what ends an alarm; what lasts has words for that too."""
    assert set(HAPPENED) == set(Happening) - set(OVER)
    assert set(LASTS) == set(LASTING)
