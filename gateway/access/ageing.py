"""What a session is by now, told from its row: over, locked, proved lately.

Ages are of the wall clock, which sessions outlive the process by. Where that was set back, something seems to have
happened in the future: nobody knows how long ago it was, so that it counts as too long ago.
"""

from config.access import AccessSettings
from gateway.access.factors import enrolment_due
from gateway.access.identity import Identity, SessionState, ceiling_of
from gateway.access.permissions import Role
from gateway.db.sessions import SessionRow
from gateway.db.users import UserRow
from kernel.clock import NS_PER_S, Clock

SLACK_NS = NS_PER_S
"""A clock is put right by less than this all the time."""


class Ageing:
    """Looks at sessions by the clock and the settings."""

    __slots__ = ("_clock", "_settings")

    def __init__(self, *, clock: Clock, settings: AccessSettings) -> None:
        self._clock = clock
        self._settings = settings

    @property
    def idle_ns(self) -> int:
        """Return after how long without use a session is over."""
        return self._settings.session_idle_s * NS_PER_S

    @property
    def lock_ns(self) -> int:
        """Return after how long without a hand at it a console locks; 0 is never."""
        return self._settings.lock_after_s * NS_PER_S

    def over(self, session: SessionRow, user: UserRow) -> bool:
        """Return whether a session has ended, whether or not the sweep has come by."""
        now_ns = self._clock.wall_ns()
        return user.disabled or now_ns >= session.expires_ns or now_ns - session.used_ns >= self.idle_ns

    def state(self, session: SessionRow) -> SessionState:
        """Return what a session is, whether or not the sweep has come by."""
        state = SessionState(session.state)
        idle = bool(self.lock_ns) and not self._within(session.active_ns, self.lock_ns)
        return SessionState.LOCKED if state is SessionState.OPEN and idle else state

    def identity(self, session: SessionRow, user: UserRow) -> Identity:
        """Return who acts through a session."""
        methods = tuple(session.methods.split())
        enrol_due = enrolment_due(self._settings, Role(user.role), methods)
        state = self.state(session)
        proved = self._within(session.confirmed_ns, self._settings.confirm_valid_s * NS_PER_S)
        return Identity(
            user_id=user.id,
            username=user.username,
            name=user.name,
            role=Role(user.role),
            session=session.id,
            ceiling=ceiling_of(state, enrol_due=enrol_due),
            state=state,
            methods=methods,
            confirmed=state is SessionState.OPEN and proved,
            enrol_due=enrol_due,
            reference=session.reference,
        )

    def _within(self, at_ns: int, longest_ns: int) -> bool:
        return -SLACK_NS <= self._clock.wall_ns() - at_ns < longest_ns
