"""Where a session begins for somebody whom a provider signed in: the one seam with :mod:`gateway.access.service`."""

from gateway.access.identity import Identity
from gateway.access.service import Access
from gateway.db.users import UserRow


async def open_session(
    access: Access, user: UserRow, *, address: str, methods: tuple[str, ...]
) -> tuple[Identity, str]:
    """Return who they are and the session's secret; ``methods`` say by what they were let in."""
    del methods
    return await access._open_session(user, address)  # noqa: SLF001
