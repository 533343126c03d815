"""The life of a deployment: which step may follow, by whom, and what never happens."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.deployments.deployment import DAY_NS, Deployment, Stage
from gateway.deployments.errors import DeciderError, DeploymentError, StepError, WishError
from gateway.deployments.geofence import Kind
from gateway.deployments.hands import Hand, Right, Rules
from gateway.deployments.life import ALLOWED, after, begun
from gateway.deployments.steps import (
    NAMES,
    Acknowledge,
    Bind,
    Check,
    Delete,
    Document,
    DocumentKind,
    Evaluate,
    Extend,
    Found,
    Grant,
    Hung,
    Install,
    Lapse,
    Note,
    Photo,
    PhotoKind,
    Picture,
    Plan,
    Raise,
    Referral,
    Refuse,
    Remind,
    Remove,
    Review,
    SignOff,
    SignsDown,
    SignsUp,
    Step,
    Tick,
    Unpictured,
    Withdraw,
    Without,
)
from gateway.deployments.why import Why
from kernel.geography import LocalPlane, Place
from ptz.bounds import Bounds

HERE = Place(51.5, -0.1)
NOW_NS = 1_790_000_000 * 10**9
RULES = Rules(criteria=("recorded", "tried"), max_days=30, review_days=10, spread_m=50)
TEAM = Hand(user_id="team", name="Team", rights=frozenset({Right.DEPLOY}))
CHIEF = Hand(user_id="chief", name="Chief", rights=frozenset({Right.DEPLOY, Right.DECIDE}))
CLOCK = Hand(user_id="system", name="Sightline", rights=frozenset({Right.CLOCK}), person=False)
REFERRAL = Referral(
    title="Mill Lane",
    problem="Tipping",
    evidence="14 reports",
    alternatives="Letters",
    purpose="Find the van",
    referred_by="J. Marsh",
    place=HERE,
    street="Mill Lane",
)
CHECKED = [Check(criterion=one, met=True, found="yes") for one in RULES.criteria]
LINKED = [
    Document(kind=kind, title="x", reference="x", sha256="") for kind in (DocumentKind.DPIA, DocumentKind.AUTHORITY)
]
GRANT = Grant(reason="serious", max_days=20)
PLAN = Plan(urn="urn:1", unit="D017", responsible="K. Osei", review_days=7, mount="LP 14")
INSTALL = Install(unit="D017", place=HERE, street="", bearing_deg=None)
SIGN = Photo(
    kind=PhotoKind.SIGN_UP,
    sha256="a",
    media_type="image/jpeg",
    size_bytes=1,
    width=1,
    height=1,
    taken="",
    place=None,
    off_m=None,
    remarks=(),
)
NO_SIGN = replace(SIGN, kind=PhotoKind.SIGN_DOWN, sha256="b")
SHOWN = replace(SIGN, kind=PhotoKind.UNIT, sha256="c")
OFF = SignOff(unit="D017", found=Found.SCANNED, live_ns=NOW_NS, ticks=tuple(Tick))
STANDING: list[Step] = [*CHECKED, *LINKED, GRANT, PLAN, SIGN, SignsUp(text="up"), INSTALL]


def hand_for(step: Step) -> Hand:
    """Return somebody who may take a step."""
    right = ALLOWED[type(step)].right
    return {Right.DEPLOY: TEAM, Right.DECIDE: CHIEF, Right.CLOCK: CLOCK}[right]


def lived(*steps: Step, now_ns: int = NOW_NS) -> Deployment:
    """Return a deployment after steps."""
    one = begun(REFERRAL, TEAM, id_="d", now_ns=now_ns)
    for step in steps:
        one = after(one, step, hand_for(step), rules=RULES, now_ns=now_ns)
    return one


any_step: st.SearchStrategy[Step] = st.one_of(
    st.builds(Check, criterion=st.sampled_from(RULES.criteria), met=st.booleans(), found=st.just("x")),
    st.builds(
        Document, kind=st.sampled_from(DocumentKind), title=st.just("x"), reference=st.just("x"), sha256=st.just("")
    ),
    st.just(Note(text="x")),
    st.builds(replace, st.just(SIGN), kind=st.sampled_from(PhotoKind), sha256=st.sampled_from("abcd")),
    st.builds(Grant, reason=st.just("x"), max_days=st.integers(0, 40)),
    st.just(Refuse(reason="x")),
    st.just(Withdraw(reason="x")),
    st.builds(replace, st.just(PLAN), review_days=st.integers(0, 12)),
    st.just(SignsUp(text="x")),
    st.builds(
        lambda north_m: replace(INSTALL, place=LocalPlane(HERE).to_place(0, north_m)), st.floats(-80, 80, width=32)
    ),
    st.builds(
        lambda days, needed: Review(found="x", needed=needed, next_ns=NOW_NS + days * DAY_NS),
        st.integers(0, 60),
        st.booleans(),
    ),
    st.builds(lambda days: Extend(reason="x", until_ns=NOW_NS + days * DAY_NS), st.integers(0, 80)),
    st.just(Lapse()),
    st.builds(Raise, kind=st.sampled_from(Kind), by=st.just(1.0), place=st.none()),
    st.just(Picture(kind=Kind.LEFT, sha256="ab", size_bytes=1, camera="c", recorded_ns=None)),
    st.just(Unpictured(kind=Kind.LEFT, why=Without.NONE)),
    st.just(Delete(sha256="ab", camera="c", seen_ns=NOW_NS)),
    st.builds(Remind, why=st.sampled_from(Why), by_ns=st.just(NOW_NS), overdue=st.booleans()),
    st.builds(Acknowledge, kind=st.sampled_from(Kind), line=st.integers(1, 60), text=st.just("")),
    st.just(Hung(pitch_deg=1.0, roll_deg=2.0)),
    st.just(Bind(camera="c", bounds=Bounds())),
    st.builds(replace, st.just(OFF), unit=st.sampled_from(["D017", "D099"]), ticks=st.sampled_from([(), tuple(Tick)])),
    st.just(Remove(reason="x")),
    st.just(SignsDown(text="x")),
    st.just(Evaluate(found="x", effect="less")),
)
hands = st.sampled_from([TEAM, CHIEF, CLOCK, replace(CHIEF, person=False), replace(TEAM, rights=frozenset())])


@given(steps=st.lists(st.tuples(any_step, hands, st.integers(0, 5)), max_size=40), ahead=st.integers(0, len(STANDING)))
def test_whatever_is_tried_the_law_holds(steps: list[tuple[Step, Hand, int]], ahead: int) -> None:
    """No life stands without criteria, documents, a second person's signature, signs first, and an end to its stay."""
    one, now_ns, taken = lived(*STANDING[:ahead]), NOW_NS, 1 + ahead
    for step, by, days in steps:
        now_ns += days * DAY_NS
        known = one
        try:
            one = after(known, step, by, rules=RULES, now_ns=now_ns)
        except DeploymentError:
            assert one is known
            continue
        taken += 1
        assert ALLOWED[type(step)].right in by.rights
        assert known.stage in ALLOWED[type(step)].stages
    assert one.entries == taken
    if one.stage not in {Stage.REFERRED, Stage.REFUSED, Stage.WITHDRAWN}:
        assert all(one.met[name] for name in RULES.criteria)
        assert one.documents >= {DocumentKind.DPIA, DocumentKind.AUTHORITY}
        assert one.decider == CHIEF.user_id != one.referrer
    if one.deployed_ns is not None:
        assert one.until_ns is not None
        assert one.signs_up_ns is not None
        assert one.signs_up_ns <= one.deployed_ns
        assert one.granted_place == HERE
        assert one.until_ns <= now_ns + RULES.max_days * DAY_NS
        assert PhotoKind.SIGN_UP in one.photos.values()
    if one.signed_off_ns is not None:
        assert one.deployed_ns is not None
        assert one.deployed_ns <= one.signed_off_ns
        assert PhotoKind.UNIT in one.photos.values()
    if one.again_ns is not None:
        assert one.deployed_ns is not None
        assert one.deployed_ns <= one.again_ns < one.until_ns  # type: ignore[operator]
    if one.stage is Stage.EVALUATED:
        assert PhotoKind.SIGN_DOWN in one.photos.values()
        assert one.removed_ns is not None
        assert one.signs_down_ns is not None
        assert one.removed_ns <= one.signs_down_ns
        assert not one.unseen
    assert one.valid(now_ns) <= (one.stage is Stage.DEPLOYED)


HOUR_NS = DAY_NS // 24


def test_a_removal_that_was_none_is_taken_back_within_a_day() -> None:
    """By another installation under the same grant: its end stays as it was, and it is signed off and learnt anew."""
    up = lived(*STANDING, SHOWN, OFF, Hung(pitch_deg=1.0, roll_deg=2.0))
    down = after(up, Remove(reason="x"), TEAM, rules=RULES, now_ns=NOW_NS + HOUR_NS)
    near = replace(INSTALL, place=LocalPlane(HERE).to_place(0, 20))
    again = after(down, near, TEAM, rules=RULES, now_ns=NOW_NS + 25 * HOUR_NS)
    assert again.valid(NOW_NS + 25 * HOUR_NS)
    assert (again.until_ns, again.deployed_ns, again.again_ns) == (up.until_ns, NOW_NS, NOW_NS + 25 * HOUR_NS)
    assert (again.removed_ns, again.signed_off_ns, again.level) == (None, None, None)
    assert again.place == near.place


@pytest.mark.parametrize(
    ("before", "wish", "by", "hours"),
    [
        ([], INSTALL, TEAM, 25),
        ([], INSTALL, replace(TEAM, person=False), 1),
        ([], replace(INSTALL, place=LocalPlane(HERE).to_place(0, 80)), TEAM, 1),
        ([NO_SIGN, SignsDown(text="x")], INSTALL, TEAM, 1),
    ],
)
def test_what_is_down_stays_down_otherwise(before: list[Step], wish: Install, by: Hand, hours: int) -> None:
    """Later than a day, by a program, at another place, or without its signs: it is referred and decided anew."""
    down = lived(*STANDING, Remove(reason="x"), *before)
    with pytest.raises((StepError, WishError)):
        after(down, wish, by, rules=RULES, now_ns=NOW_NS + hours * HOUR_NS)


def test_no_removal_is_taken_back_past_the_end_of_its_stay() -> None:
    """A unit that overstayed and was taken down has no time left to stand."""
    late_ns = NOW_NS + 20 * DAY_NS
    down = after(lived(*STANDING), Remove(reason="x"), TEAM, rules=RULES, now_ns=late_ns)
    with pytest.raises(StepError, match="time that was granted"):
        after(down, INSTALL, TEAM, rules=RULES, now_ns=late_ns)


def test_no_program_says_that_a_unit_is_down() -> None:
    """One request would end what it records."""
    with pytest.raises(StepError, match="by people"):
        after(lived(*STANDING), Remove(reason="x"), replace(TEAM, person=False), rules=RULES, now_ns=NOW_NS)


def test_every_step_is_allowed_somewhere_and_named() -> None:
    """The table, the names and the steps are of one mind."""
    assert set(ALLOWED) | {Referral} == set(NAMES)
    assert len(set(NAMES.values())) == len(NAMES)


@pytest.mark.parametrize("step", [*STANDING, Refuse(reason="x"), Withdraw(reason="x"), Remove(reason="x")])
def test_nobody_without_the_right_takes_a_step(step: Step) -> None:
    """Rights are asked before anything else."""
    nobody = replace(TEAM, rights=frozenset())
    with pytest.raises(StepError, match="may not"):
        after(lived(), step, nobody, rules=RULES, now_ns=NOW_NS)


def test_whoever_referred_does_not_decide_where_two_are_asked_for() -> None:
    """Where the site asks for one person alone, they may."""
    ready = lived(*CHECKED, *LINKED)
    same = replace(CHIEF, user_id=TEAM.user_id)
    for step in (GRANT, Refuse(reason="x")):
        with pytest.raises(DeciderError):
            after(ready, step, same, rules=RULES, now_ns=NOW_NS)
        alone = replace(RULES, two_people=False)
        assert after(ready, step, same, rules=alone, now_ns=NOW_NS).decided_by == CHIEF.name


@pytest.mark.parametrize("missing", range(len(CHECKED) + len(LINKED)))
def test_nothing_is_granted_before_all_is_on_file(missing: int) -> None:
    """Each criterion and each document is asked for."""
    steps: list[Step] = [*CHECKED, *LINKED]
    del steps[missing]
    with pytest.raises(StepError):
        lived(*steps, GRANT)


def test_an_unmet_criterion_keeps_it_from_being_granted_until_it_is_met() -> None:
    """What was found last counts."""
    unmet = replace(CHECKED[0], met=False)
    with pytest.raises(StepError, match="not met"):
        lived(*CHECKED, unmet, *LINKED, GRANT)
    assert lived(*CHECKED, unmet, CHECKED[0], *LINKED, GRANT).stage is Stage.GRANTED


def test_signs_come_before_the_camera() -> None:
    """It is not installed before they are up."""
    with pytest.raises(StepError, match="signs"):
        lived(*CHECKED, *LINKED, GRANT, PLAN, INSTALL)


def test_signs_of_what_is_withdrawn_come_down() -> None:
    """With their photo, as after a unit; where none were up nothing more is sent of it."""
    withdrawn = lived(*STANDING[:-1], Withdraw(reason="x"))
    assert withdrawn.signs_hang
    with pytest.raises(StepError, match="no photo"):
        after(withdrawn, SignsDown(text="x"), TEAM, rules=RULES, now_ns=NOW_NS)
    down = lived(*STANDING[:-1], Withdraw(reason="x"), NO_SIGN, SignsDown(text="x"))
    assert (down.stage, down.signs_down_ns, down.signs_hang) == (Stage.WITHDRAWN, NOW_NS, False)
    for step in (NO_SIGN, SignsDown(text="x")):
        with pytest.raises(StepError, match="signs were not up"):
            lived(*STANDING[:-3], Withdraw(reason="x"), step)


def test_signs_are_down_before_it_is_evaluated() -> None:
    """It is not over before they are."""
    with pytest.raises(StepError, match="signs"):
        lived(*STANDING, Remove(reason="x"), Evaluate(found="x", effect="less"))


def test_what_is_put_up_is_what_was_planned() -> None:
    """Planned anew while its team was on the way, the other unit is not said to stand: nor where it goes up again."""
    for before in (STANDING[:-1], [*STANDING, Remove(reason="x")]):
        with pytest.raises(WishError, match="D018 was put up, and D017 is planned"):
            lived(*before, replace(INSTALL, unit="D018"))


def test_it_is_put_up_where_it_was_granted() -> None:
    """Fifty metres off is as far as the site lets it go."""
    for off_m, fits in ((49.0, True), (51.0, False)):
        install = replace(INSTALL, place=LocalPlane(HERE).to_place(off_m, 0))
        if fits:
            assert lived(*STANDING[:-1], install).place == install.place
        else:
            with pytest.raises(WishError, match="51 m from"):
                lived(*STANDING[:-1], install)


def test_a_stay_ends_by_the_clock_and_an_extension_revives_it() -> None:
    """Past its longest stay it is valid no more, until somebody signs a longer one."""
    standing = lived(*STANDING)
    over_ns = NOW_NS + 20 * DAY_NS
    assert standing.valid(over_ns - 1)
    assert not standing.valid(over_ns)
    lapsed = after(standing, Lapse(), CLOCK, rules=RULES, now_ns=over_ns)
    assert lapsed.lapsed_ns == over_ns
    longer = Extend(reason="x", until_ns=over_ns + 30 * DAY_NS)
    extended = after(lapsed, longer, CHIEF, rules=RULES, now_ns=over_ns)
    assert extended.valid(over_ns)
    assert extended.lapsed_ns is None


def test_a_stay_does_not_lapse_before_its_time() -> None:
    """Not even the clock ends it early, and it ends once."""
    standing = lived(*STANDING)
    with pytest.raises(StepError):
        after(standing, Lapse(), CLOCK, rules=RULES, now_ns=NOW_NS + 20 * DAY_NS - 1)
    over = after(standing, Lapse(), CLOCK, rules=RULES, now_ns=NOW_NS + 20 * DAY_NS)
    with pytest.raises(StepError):
        after(over, Lapse(), CLOCK, rules=RULES, now_ns=NOW_NS + 20 * DAY_NS)


def test_what_is_not_needed_is_not_extended() -> None:
    """A review that found so stands in the way."""
    unneeded = lived(*STANDING, Review(found="x", needed=False, next_ns=NOW_NS + DAY_NS))
    with pytest.raises(StepError, match="not needed"):
        after(unneeded, Extend(reason="x", until_ns=NOW_NS + 25 * DAY_NS), CHIEF, rules=RULES, now_ns=NOW_NS)


def test_effects_are_evaluated_again_later() -> None:
    """The months after count as well."""
    down = (Remove(reason="x"), NO_SIGN, SignsDown(text="x"), Evaluate(found="x", effect="less"))
    assert lived(*STANDING, *down, Evaluate(found="x", effect="solved")).entries == len(STANDING) + 6


def test_signs_are_shown() -> None:
    """Up or down without a photo is not taken for it; where the site does not ask for one, it is."""
    before = [step for step in STANDING[:-2] if step is not SIGN]
    with pytest.raises(StepError, match="photo"):
        lived(*before, SignsUp(text="up"))
    with pytest.raises(StepError, match="photo"):
        lived(*STANDING, Remove(reason="x"), SignsDown(text="down"))
    trusting = replace(RULES, sign_photos=False)
    assert after(lived(*before), SignsUp(text="up"), TEAM, rules=trusting, now_ns=NOW_NS).signs_up_ns == NOW_NS


def test_a_photo_is_sent_once() -> None:
    """The same picture is not two."""
    with pytest.raises(WishError, match="already"):
        lived(*STANDING, replace(SIGN, kind=PhotoKind.UNIT))
