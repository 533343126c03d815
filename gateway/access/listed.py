"""A session as people see it, in their own list or an administrator's."""

from dataclasses import dataclass

from gateway.access.identity import SessionState
from gateway.db.sessions import SessionRow
from gateway.db.users import UserRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSession:
    """A session as people see it; times in nanoseconds since 1970 UTC."""

    id: str
    user_id: str
    username: str
    name: str
    since_ns: int
    used_ns: int
    address: str
    browser: str
    methods: tuple[str, ...]
    state: SessionState


def listed(row: SessionRow, user: UserRow, state: SessionState) -> ListedSession:
    """Return a stored session as people see it; ``state`` is what it is by now."""
    return ListedSession(
        id=row.id,
        user_id=user.id,
        username=user.username,
        name=user.name,
        since_ns=row.created_ns,
        used_ns=row.used_ns,
        address=row.address,
        browser=row.browser,
        methods=tuple(row.methods.split()),
        state=state,
    )
