"""Keeping one head within its bounds: what may be wished, how fast it may go there, and whether it strayed.

The guard makes no request. It is told what was sent and what was seen, and answers for the hand that moves the head.
"""

from dataclasses import replace
from enum import StrEnum

import structlog

from config.steering import SteeringSettings
from kernel.clock import NS_PER_S, Clock
from kernel.head import HeadAbilities, Position, Velocity
from ptz.arbitration import Priority
from ptz.bounds import Bounds, Rule, full_circle
from ptz.errors import BoundsUnkeptError, OutOfBoundsError
from ptz.pace import Look, Pace, travelled
from ptz.ports import Head
from ptz.state import Bar, Barring
from ptz.sweep import STILL, Carried, Sweep, Vector, along, with_axis

log = structlog.get_logger()

MARGIN_DEG = 1.0
"""Heads tell tenths of a degree, and are not quite where they tell."""
STEPS = (0.01, 0.01, 0.02)
"""How finely the way out of a bound is looked for, in generic units of pan, tilt and zoom."""
HALVINGS = 8
LEAST_SHARE = 0.02
"""A move trimmed to less of what was wished stands."""
RETURN_S = 10.0
"""A head that strayed and is not back by then is left to whoever steers: only out is let through."""
SPEED_OUT = 0.3
"""At most, of full speed, on the way back from where a head strayed."""


class Verdict(StrEnum):
    """What a look at a bound head asks for."""

    STOP = "stop"
    GO_BACK = "go-back"


class Guard:
    """One head's. Bounds are kept for the hand whose movement it is, or was last."""

    def __init__(self, head: Head, *, clock: Clock, settings: SteeringSettings) -> None:
        self._head = head
        self._clock = clock
        self._settings = settings
        self._bounds = Bounds()
        self._hand = Priority.ROOM
        self._look: Look | None = None
        self._before: Look | None = None
        self._untold = False
        self._stopping_ns = 0
        self._trimmed: tuple[object, Velocity, Bar | None] | None = None
        self._return_ns: int | None = None
        """Until when a head that strayed is being brought back."""
        self.pace = Pace(settings)
        self._sweep = Sweep(head, self.pace, clock)
        self.bar: Bar | None = None
        """What the last verdict is about."""
        self.haven: Position | None = None
        """Where the head looked last, within bounds, since the hand moves it."""
        self.errand: str | None = None
        """The preset that a head which shows nothing was sent to: if cut short, it is sent there again."""

    @property
    def bounds(self) -> Bounds:
        """Return the bounds in force."""
        return self._bounds

    @bounds.setter
    def bounds(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self.haven, self._trimmed = None, None
        self._keep_haven()

    def begins(self, hand: Priority) -> None:
        """Take in that somebody moves the head from now on, by a wish or an order that was let through."""
        self._return_ns = None
        if hand is not self._hand:
            self._hand, self.haven, self.errand, self._trimmed = hand, None, None, None
            if self._clock.monotonic_ns() <= self.stale_ns:
                self._keep_haven()

    def stopped_by(self, hand: Priority) -> None:
        """Take in that somebody stops the head: whoever may look everywhere also ends its ways back."""
        if not self.binds(hand):
            self._return_ns = self.errand = None

    @property
    def returning(self) -> bool:
        """Return whether a head that strayed is being brought back."""
        return self._return_ns is not None

    @property
    def _abilities(self) -> HeadAbilities:
        return self._head.abilities

    def _rules(self, hand: Priority | None = None) -> tuple[Rule, ...]:
        return self._bounds.rules(self._abilities, self._hand if hand is None else hand)

    def binds(self, hand: Priority) -> bool:
        """Return whether anything is forbidden to this hand here."""
        unconfirmed = not self._bounds.confirmed and not self._bounds.empty and hand is Priority.GUEST
        return unconfirmed or bool(self._rules(hand))

    @property
    def bound(self) -> bool:
        """Return whether something binds whoever moves the head now."""
        return self.binds(self._hand)

    @property
    def blind(self) -> bool:
        """Return whether nothing shows where the head looks."""
        abilities = self._abilities
        told = abilities.pan_deg is not None and abilities.tilt_deg is not None and abilities.status
        return not told or self._untold

    def allow_free(self, hand: Priority) -> None:
        """Let somebody steer freely, as far as bounds can be kept at all.

        Raises:
            BoundsUnkeptError: they bind this hand and cannot be kept.
        """
        self._allow(hand)
        if self.blind and self.binds(hand):
            raise BoundsUnkeptError(
                "This camera does not tell where it looks, so its limits and no-look zones cannot be kept.",
                cure="Recall a preset that lies outside of them.",
            )

    def _allow(self, hand: Priority) -> None:
        if not self._bounds.confirmed and self.binds(hand):
            raise BoundsUnkeptError(
                "This camera was moved, and its limits and no-look zones are not confirmed for the new place.",
                cure="Ask the control room to confirm them.",
            )

    # --- what is told

    def saw(self, position: Position | None, *, asked_ns: int) -> None:
        """Take in where the head looks, as asked at ``asked_ns`` (monotonic)."""
        self._untold = position is None
        if position is None:
            return
        self._before, self._look = self._look, Look(position, asked_ns, self._clock.monotonic_ns())
        if self._before is not None:
            self.pace.learn(self._before, self._look, self._abilities, wraps=full_circle(self._abilities))
        self._trimmed = None
        self._keep_haven()

    def _keep_haven(self) -> None:
        look = self._look
        if look is not None and not self._sweep.met(self._rules(), look.position, look.position, MARGIN_DEG):
            self.haven = look.position

    def stopping(self) -> None:
        """Take in that the head is being stopped."""
        self._stopping_ns = self._clock.monotonic_ns()
        self.pace.sent(Velocity(), self._stopping_ns)

    @property
    def stale_ns(self) -> int:
        """Return from when (monotonic) the position is too old to move by."""
        return (self._look.told_ns if self._look else 0) + round(self._settings.poll_bound_s * NS_PER_S)

    @property
    def blind_ns(self) -> int:
        """Return when (monotonic) a head that was not told to stop since has not been seen for too long."""
        seen_ns = self._look.told_ns if self._look else 0
        return max(seen_ns, self._stopping_ns) + round(self._settings.blind_s * NS_PER_S)

    # --- what is asked

    def trim(self, velocity: Velocity) -> tuple[Velocity, Bar | None]:
        """Return what may be sent of a velocity now, and what holds the rest back.

        The faster an axis goes, the farther it stays from a bound: so much that it still stands before it by what the
        next look says. Within a bound only what leads out of it by the nearest way is let through.
        """
        rules = self._rules()
        if not rules or velocity.still:
            return velocity, None
        if self._look is None or self.blind:
            return Velocity(), None
        if self._trimmed is None or self._trimmed[0] != velocity:
            self._trimmed = (velocity, *self._trim(rules, self._look, velocity))
        return self._trimmed[1], self._trimmed[2]

    def _trim(self, rules: tuple[Rule, ...], look: Look, velocity: Velocity) -> tuple[Velocity, Bar | None]:
        at = look.position
        inside = self._sweep.met(rules, at, at, MARGIN_DEG)
        if inside:
            return self._outward(rules, inside, look, along(velocity))
        wished, full, carried = along(velocity), self._sweep.travel(look, along(velocity)), self._sweep.carried(look)
        going, shares, bar = STILL, [0.0, 0.0, 0.0], None
        for axis in sorted(range(3), key=lambda one: -abs(full[one])):
            if not full[axis]:
                continue
            met = self._sweep.met(
                rules, *self._sweep.swept(at, carried, with_axis(going, axis, full[axis])), MARGIN_DEG
            )
            shares[axis] = 1.0 if not met else self._share(rules, at, carried, going, axis, full[axis])
            if shares[axis] < LEAST_SHARE:
                shares[axis] = 0.0
                bar = bar or Bar(met[0].kind, met[0].name)
            going = with_axis(going, axis, full[axis] * shares[axis])
        return Velocity(*(one * share for one, share in zip(wished, shares, strict=True))), bar

    def _share(  # noqa: PLR0913, PLR0917 - one axis of a move, and what else moves
        self, rules: tuple[Rule, ...], at: Position, carried: Carried, going: Vector, axis: int, way: float
    ) -> float:
        """Return how much of its way one axis may go beside what the others do."""
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2.0
            if self._sweep.met(
                rules, *self._sweep.swept(at, carried, with_axis(going, axis, way * middle)), MARGIN_DEG
            ):
                high = middle
            else:
                low = middle
        return low

    def _outward(
        self, rules: tuple[Rule, ...], inside: tuple[Rule, ...], look: Look, wished: Vector
    ) -> tuple[Velocity, Bar | None]:
        at = look.position
        full, out = self._sweep.travel(look, wished), [0.0, 0.0, 0.0]
        for axis, way in enumerate(full):
            if not way:
                continue
            sign = 1.0 if way > 0.0 else -1.0
            ahead, behind = (self._way_out(rules, inside, at, axis, one) for one in (sign, -sign))
            if ahead is not None and (behind is None or ahead <= behind):
                out[axis] = wished[axis] * min(1.0, (ahead + STEPS[axis]) / abs(way))
        others = tuple(rule for rule in rules if rule not in inside)
        carried = self._sweep.carried(look)
        for axis in (2, 1, 0):
            swept = self._sweep.swept(at, carried, self._sweep.travel(look, (out[0], out[1], out[2])))
            if any(out) and self._sweep.met(others, *swept, MARGIN_DEG):
                out[axis] = 0.0
        held = any(one and not other for one, other in zip(wished, out, strict=True))
        return Velocity(*out), Bar(inside[0].kind, inside[0].name) if held else None

    def _way_out(
        self, rules: tuple[Rule, ...], inside: tuple[Rule, ...], at: Position, axis: int, sign: float
    ) -> float | None:
        """Return how far along one axis the head leaves a bound without entering another; ``None`` for never."""
        step, gone = STEPS[axis] * sign, 0.0
        before = at
        while abs(gone) < (1.0 if axis != 0 else 2.0):
            gone += step
            here = self._sweep.moved(at, with_axis(STILL, axis, gone))
            if here == before:
                return None  # the end of the axis
            before = here
            met = self._sweep.met(rules, here, here, MARGIN_DEG)
            if any(rule not in inside for rule in met):
                return None
            if len(met) < len(inside):
                return abs(gone)
        return None

    def way_out(self) -> Velocity:
        """Return how to move out of where the head strayed, for one that cannot be sent to a position."""
        if self._look is None:
            return Velocity()
        rules, at = self._rules(), self._look.position
        inside = self._sweep.met(rules, at, at, MARGIN_DEG)
        ways = [
            (found / gain, axis, sign)
            for axis, gain in enumerate(self.pace.gains(self._abilities))
            for sign in (1.0, -1.0)
            if (found := self._way_out(rules, inside, at, axis, sign)) is not None
        ]
        if not inside or not ways:
            return Velocity()
        _, axis, sign = min(ways)
        return Velocity(*with_axis(STILL, axis, SPEED_OUT * sign))

    def _running_in(self) -> Bar | None:
        """Return the bound that a head moving as it was last seen to would reach before a stop takes hold."""
        if self._look is None or self._before is None:
            return None
        at, elapsed_ns = self._look.position, self._look.asked_ns - self._before.asked_ns
        if elapsed_ns <= 0:
            return None
        share = self.pace.stopping_s * NS_PER_S / elapsed_ns
        pan, tilt, zoom = travelled(self._before.position, at, wraps=full_circle(self._abilities))
        rules = self._rules()
        inside = self._sweep.met(rules, at, at, MARGIN_DEG)
        others = tuple(rule for rule in rules if rule not in inside)
        met = self._sweep.met(others, at, self._sweep.moved(at, (pan * share, tilt * share, zoom * share)), 0.0)
        return Bar(met[0].kind, met[0].name) if met else None

    def verdict(self, *, restless: bool, driven: bool) -> "Verdict | None":
        """Return what a look asks for: of a head that moves (``restless``), and by a wish of the hand's (``driven``).

        A head that runs into a bound is stopped. One that is in it already is stopped too, and then brought back.
        """
        if not self.bound:
            return None
        strayed = self._strayed(passing=restless and not driven)
        now_ns = self._clock.monotonic_ns()
        if strayed is not None and self._return_ns is None:
            log.info("head.strayed", bound=strayed.name)
            self.bar = replace(strayed, does=Barring.RETURNED)
            self._return_ns = now_ns + round(RETURN_S * NS_PER_S)
            return Verdict.STOP if restless else Verdict.GO_BACK
        if self._return_ns is not None:
            if strayed is not None and now_ns < self._return_ns:
                return Verdict.GO_BACK
            self._return_ns = None
            if strayed is not None:
                self.haven = None
            return Verdict.STOP if driven else None
        self.bar = self._running_in() if driven else None
        return Verdict.STOP if self.bar is not None else None

    def _strayed(self, *, passing: bool) -> Bar | None:
        """Return the bound in which the head is by the hand's own doing.

        A guest's head may not even pass through one; what the room sends to a preset may.
        """
        if self.haven is None or self._look is None or (passing and self._hand is not Priority.GUEST):
            return None
        met = self._sweep.met(self._rules(), self._look.position, self._look.position, 0.0)
        return Bar(met[0].kind, met[0].name) if met else None

    def judge(self, target: Position, hand: Priority, here: Position | None) -> None:
        """Let somebody send the head to a position; for a guest the way there counts too.

        Raises:
            OutOfBoundsError: a bound is there, or on the way.
        BoundsUnkeptError: they are of another place.
        """
        self._allow(hand)
        rules = self._rules(hand)
        met = self._sweep.met(rules, target, target, MARGIN_DEG)
        if met:
            raise _refusal(met[0], "That looks into", "That is beyond")
        if hand is not Priority.GUEST or here is None:
            return
        inside = self._sweep.met(rules, here, here, MARGIN_DEG)
        others = tuple(rule for rule in rules if rule not in inside)
        ways = [target]
        if full_circle(self._abilities):
            # Which way round such a head goes is its own affair.
            short = travelled(here, target, wraps=True)[0]
            ways = [replace(target, pan=here.pan + turn) for turn in {short, target.pan - here.pan}]
        for end in ways:
            met = self._sweep.met(others, here, end, 0.0)
            if met:
                raise _refusal(met[0], "The way there leads through", "The way there leads beyond")


def _refusal(rule: Rule, zone: str, limit: str) -> OutOfBoundsError:
    where = (
        f"{zone} the no-look zone {rule.name}." if rule.kind == "zone" else f"{limit} this camera's {rule.name} limit."
    )
    return OutOfBoundsError(where, cure="Aim elsewhere, or ask the control room.", kind=rule.kind, bound=rule.name)
