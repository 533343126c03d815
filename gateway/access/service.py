"""Sessions, and telling who is asking. Signing in is :mod:`gateway.access.entrance`'s."""

from collections import deque
from collections.abc import Callable, Collection, Sequence

import structlog

from config.access import AccessSettings
from gateway.access.ageing import SLACK_NS, Ageing
from gateway.access.errors import CredentialsError, KeptElsewhereError, NotSignedInError, UnknownError, UserError
from gateway.access.identity import Identity, SessionState
from gateway.access.listed import ListedSession, listed
from gateway.access.permissions import Role
from gateway.access.secrets import TOKEN_PREFIX, hashed, hashed_code, new_code, new_secret
from gateway.db.codes import CodeRow, Codes
from gateway.db.engine import Database
from gateway.db.identities import Identities
from gateway.db.known_devices import KnownDevices
from gateway.db.sessions import SessionRow, Sessions
from gateway.db.tokens import Tokens
from gateway.db.users import UserRow, Users
from gateway.listeners import Listeners
from kernel.clock import NS_PER_S, Clock
from kernel.ids import new_id

log = structlog.get_logger()

SETUP = "setup"
SIGN_IN = "sign-in"
PROVIDER = "oidc"
"""The method of a session that a provider of accounts let in."""
_NOTE_USE_NS = 30 * NS_PER_S
"""The use of a session or token is written at most this often."""
_DAY_NS = 86_400 * NS_PER_S
ENDED_KEPT = 4096
"""So many sessions are known to have ended, for what was being opened through them meanwhile."""
SESSIONS_MAX = 16
"""Sessions of one person: a browser that signs in anew for ever leaves no more behind."""

StateCall = Callable[[str, SessionState], None]
SessionCall = Callable[["ListedSession"], object]


class Access:
    """Sessions and who they belong to. Users and tokens are kept by :mod:`gateway.access.people`."""

    def __init__(self, database: Database, *, clock: Clock, settings: AccessSettings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._ended: Listeners[[str]] = Listeners("session.end_untold")
        self._changed: Listeners[[str, SessionState]] = Listeners("session.state_untold")
        self._idle: Listeners[[ListedSession]] = Listeners("session.idling_untold")
        self._crowded: Listeners[[ListedSession]] = Listeners("session.crowding_untold")
        self._lately: deque[str] = deque(maxlen=ENDED_KEPT)
        self._stopped: set[str] = set()
        """Programs whose doings were ended, and which have not come back yet."""
        self._ageing = Ageing(clock=clock, settings=settings)

    # --- one-time codes

    async def setup_needed(self) -> bool:
        """Return whether there is nobody yet."""
        async with self._database.read() as connection:
            return await Users(connection).count() == 0

    async def new_setup_code(self) -> str:
        """Return a fresh code that makes the first administrator; those before it no longer work.

        Raises:
            UserError: there are users already.
        """
        if not await self.setup_needed():
            raise UserError("Sightline is set up already.", cure="Ask an administrator for an account.")
        return await self._new_code(SETUP, None)

    async def new_sign_in_code(self, user_id: str) -> str:
        """Return a fresh one-time code that signs this user in once."""
        return await self._new_code(SIGN_IN, user_id)

    # --- sessions

    async def open_session(
        self, user: UserRow, *, address: str, methods: Sequence[str], browser: str = ""
    ) -> tuple[Identity, str]:
        """Begin a session: the one way one begins, however somebody proved who they are.

        ``methods`` are words of :class:`gateway.access.factors.Method`; ``browser`` is a name for people.
        Returns who they are, and the session's secret.
        """
        secret = new_secret()
        now_ns = self._clock.wall_ns()
        row = SessionRow(
            id=new_id(),
            secret_hash=hashed(secret),
            user_id=user.id,
            created_ns=now_ns,
            used_ns=now_ns,
            expires_ns=now_ns + self._settings.session_absolute_s * NS_PER_S,
            address=address,
            browser=browser,
            methods=" ".join(methods),
            confirmed_ns=now_ns,
            active_ns=now_ns,
            state=SessionState.OPEN,
        )
        async with self._database.write() as connection:
            if PROVIDER not in methods and await Identities(connection).govern(user.id):
                # A group taken away there must be taken away here: there is no way in that does not ask.
                raise KeptElsewhereError
            now = await Users(connection).get(user.id)
            if now is None or now.disabled or now.password_hash != user.password_hash:
                # Changed since it was looked at: a new password ends what the old one was about to open.
                raise CredentialsError("Your account was changed just now.", cure="Sign in again.")
            await Sessions(connection).add(row)
            await Users(connection).change(user.id, signed_in_ns=now_ns)
            crowd = await Sessions(connection).crowd(user.id, keep=row.id, kept=SESSIONS_MAX - 1)
        for one in crowd:
            log.info("session.crowded_out", session=one.id)
            self.tell_ended([one.id])
            self._crowded.tell(listed(one, user, self._ageing.state(one)))
        return self._ageing.identity(row, user), secret

    async def sign_out(self, session: str) -> None:
        """End a session."""
        async with self._database.write() as connection:
            await Sessions(connection).remove(session)
        self.tell_ended([session])

    async def sessions(self, user_id: str | None = None) -> list[ListedSession]:
        """Return one user's sessions, or everybody's, the newest first."""
        async with self._database.read() as connection:
            found = await Sessions(connection).listed(user_id)
        return [listed(row, user, self._ageing.state(row)) for row, user in found if not self._ageing.over(row, user)]

    async def earlier(self, secret: str) -> str | None:
        """Return the session that a cookie's secret names, over or not, or ``None``."""
        async with self._database.read() as connection:
            found = await Sessions(connection).find(hashed(secret))
        return found[0].id if found is not None else None

    async def end_earlier(self, session: str) -> ListedSession | None:
        """End the session that a browser had until it signed in anew; return it where it had not ended.

        Two people at one desk: whoever comes second must not leave the first one's session open behind theirs.
        """
        row, user = None, None
        async with self._database.write() as connection:
            row = await Sessions(connection).get(session)
            user = await Users(connection).get(row.user_id) if row is not None else None
            await Sessions(connection).remove(session)
        if row is None or user is None:
            return None
        self.tell_ended([session])
        return listed(row, user, self._ageing.state(row))

    async def end_session(self, session: str, *, owner: str | None) -> str:
        """End a session of ``owner``'s, or anybody's where that is ``None``; return whose it was.

        Raises:
            UnknownError: no such session.
        """
        async with self._database.read() as connection:
            row = await Sessions(connection).get(session)
        if row is None or owner not in {None, row.user_id}:
            raise UnknownError("There is no such session.", cure="It may have ended. See the list.")
        await self.sign_out(session)
        return row.user_id

    async def end_sessions_of(self, user_id: str, *, keep: str | None = None) -> list[str]:
        """End a user's sessions but ``keep``; return which."""
        async with self._database.write() as connection:
            sessions = Sessions(connection)
            over = [one for one in await sessions.of_user(user_id) if one != keep]
            for session in over:
                await sessions.remove(session)
        self.tell_ended(over)
        return over

    # --- locking

    async def touched(self, session: str) -> None:
        """Note that a hand moved at an open session's console."""
        async with self._database.write() as connection:
            await Sessions(connection).change(session, active_ns=self._clock.wall_ns())

    async def put_reference(self, session: str, reference: str) -> None:
        """Note which incident or request a session works on from now on; empty for none."""
        async with self._database.write() as connection:
            await Sessions(connection).change(session, reference=reference)

    async def put_state(self, session: str, state: SessionState) -> None:
        """Lock a session or make it a wallboard. Only :meth:`confirmed` opens one again."""
        async with self._database.write() as connection:
            await Sessions(connection).change(session, state=state)
        self._tell_state(session, state)

    async def confirmed(self, session: str, method: str) -> None:
        """Note that somebody proved again who they are: sharp acts are open for a while, and a lock is gone."""
        now_ns = self._clock.wall_ns()
        async with self._database.write() as connection:
            sessions = Sessions(connection)
            row = await sessions.get(session)
            if row is None:
                return
            methods = row.methods.split()
            if method not in methods:
                methods.append(method)
            await sessions.change(
                session,
                confirmed_ns=now_ns,
                active_ns=now_ns,
                methods=" ".join(methods),
                state=SessionState.OPEN,
            )
        self._tell_state(session, SessionState.OPEN)

    # --- who is asking

    async def of_session(self, secret: str) -> Identity:
        """Return whose session a cookie's secret opens.

        Raises:
            NotSignedInError: none, or one that has ended.
        """
        now_ns = self._clock.wall_ns()
        async with self._database.read() as connection:
            found = await Sessions(connection).find(hashed(secret))
        if found is None:
            raise NotSignedInError("You are signed out.", cure="Sign in.")
        session, user = found
        if self._ageing.over(session, user):
            await self.sign_out(session.id)
            raise NotSignedInError("Your session has ended.", cure="Sign in again.")
        if now_ns - session.used_ns >= _NOTE_USE_NS:
            async with self._database.write() as connection:
                await Sessions(connection).change(session.id, used_ns=now_ns)
        if self._ageing.state(session) != session.state:
            await self._lock_untouched()
        return self._ageing.identity(session, user)

    async def of_token(self, token: str) -> Identity:
        """Return whose API token it is; its role is never more than its user's.

        Raises:
            NotSignedInError: none, or one that has ended.
        """
        found = None
        if token.startswith(TOKEN_PREFIX):
            async with self._database.read() as connection:
                found = await Tokens(connection).find(hashed(token))
        now_ns = self._clock.wall_ns()
        if found is None or found[1].disabled or now_ns >= found[0].expires_ns:
            raise NotSignedInError("The API token is not valid.", cure="Ask an administrator for a new one.")
        row, user = found
        if row.used_ns is None or now_ns - row.used_ns >= _NOTE_USE_NS:
            async with self._database.write() as connection:
                await Tokens(connection).used(row.id, now_ns)
        self._stopped.discard(f"token:{row.id}")
        role, ceiling = Role(user.role), Role(row.role).ceiling
        return Identity(
            user_id=user.id,
            username=user.username,
            name=user.name,
            # For people to read: a token shows as what it was made as, and never as more than its user is by now.
            # A partner's stays a partner's: what holds for those outside holds for their programs.
            role=role if role is Role.PARTNER or not Role(row.role).permissions <= role.permissions else Role(row.role),
            session=f"token:{row.id}",
            token_name=row.name,
            ceiling=ceiling,
        )

    # --- the end of sessions

    def when_ended(self, call: Callable[[str], None]) -> Callable[[], None]:
        """Call ``call(session)`` whenever a session or token ends; returns the detaching call."""
        return self._ended.add(call)

    def when_state(self, call: StateCall) -> Callable[[], None]:
        """Call ``call(session, state)`` whenever a session is locked or opened again; returns the detaching call."""
        return self._changed.add(call)

    def when_idle(self, call: SessionCall) -> Callable[[], None]:
        """Call ``call(session)`` whenever one locks because no hand moved at it; returns the detaching call."""
        return self._idle.add(call)

    def when_crowded(self, call: SessionCall) -> Callable[[], None]:
        """Call ``call(session)`` whenever one ends because its user has too many; returns the detaching call."""
        return self._crowded.add(call)

    def has_ended(self, session: str) -> bool:
        """Return whether a session ended lately: while something was being opened through it, say."""
        return session in self._lately or session in self._stopped

    async def gone(self, sessions: Collection[str]) -> list[str]:
        """Return those of these sessions that are no more: another process may have ended them (``sightline users``).

        What has a colon in its name (``token:ID``) is none of ours, and ends with what it names.
        """
        own = [session for session in sessions if session and ":" not in session]
        async with self._database.read() as connection:
            there = await Sessions(connection).there(own)
        return [session for session in own if session not in there]

    async def end_expired(self) -> None:
        """End every session past its time, lock those that no hand has moved, forget browsers unseen for long."""
        now_ns = self._clock.wall_ns()
        async with self._database.read() as connection:
            over = await Sessions(connection).expired(now_ns, now_ns - self._ageing.idle_ns)
        for session in over:
            log.info("session.expired", session=session)
            await self.sign_out(session)
        async with self._database.write() as connection:
            await KnownDevices(connection).prune(now_ns - self._settings.device_known_days * _DAY_NS)
        await self._lock_untouched()

    def tell_ended(self, sessions: list[str]) -> None:
        """Pass on that these sessions were ended elsewhere in this room."""
        self._lately.extend(sessions)
        self._stopped.difference_update(sessions)
        self._tell_ended(sessions)

    def tell_stopped(self, programs: list[str]) -> None:
        """Pass on that what goes on through these programs is to end. Their tokens stay: each may begin anew."""
        # What is being opened through one meanwhile ends too. Whoever asks after this was looked at as things are now.
        self._stopped.update(programs)
        self._tell_ended(programs)

    def _tell_ended(self, sessions: list[str]) -> None:
        for session in sessions:
            self._ended.tell(session)

    # --- inside

    async def _lock_untouched(self) -> None:
        """Lock every session that no hand has moved; each is told of once, whoever comes to it first."""
        if not self._ageing.lock_ns:
            return
        now_ns = self._clock.wall_ns()
        untouched = (now_ns - self._ageing.lock_ns, now_ns + SLACK_NS)
        async with self._database.write() as connection:
            idle = await Sessions(connection).lock_idle(
                *untouched, open_state=SessionState.OPEN, locked_state=SessionState.LOCKED
            )
        for row, user in idle:
            log.info("session.locked", session=row.id)
            self._tell_state(row.id, SessionState.LOCKED)
            self._idle.tell(listed(row, user, SessionState.LOCKED))

    def _tell_state(self, session: str, state: SessionState) -> None:
        self._changed.tell(session, state)

    async def _new_code(self, purpose: str, user_id: str | None) -> str:
        code = new_code()
        now_ns = self._clock.wall_ns()
        row = CodeRow(
            secret_hash=hashed_code(code),
            purpose=purpose,
            user_id=user_id,
            created_ns=now_ns,
            expires_ns=now_ns + self._settings.code_valid_s * NS_PER_S,
        )
        async with self._database.write() as connection:
            await Codes(connection).replace(row)
        return code


def folded(username: str) -> str:
    """Return a user name as it is stored and compared.

    Raises:
        UserError: it cannot be one.
    """
    name = username.strip().casefold()
    if not 1 <= len(name) <= 64 or not all(character.isalnum() or character in "._-@" for character in name):
        raise UserError("A user name has 1 to 64 letters, digits, dots, dashes or @.", cure="Choose another.")
    return name
