"""Who is asking."""

from dataclasses import dataclass

from gateway.access.permissions import Permission, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A user behind a session or an API token.

    ``session`` identifies that way in; what was opened through it ends when it ends.
    """

    user_id: str
    username: str
    name: str
    role: Role
    session: str
    token_name: str | None = None
    ceiling: frozenset[Permission] = frozenset(Permission)
    """Whatever their rights, nothing beyond this: an API token may be less than its user."""

    @property
    def shown(self) -> str:
        """Return the name for logs and the audit: a token's name stands behind its user's."""
        return f"{self.username} ({self.token_name})" if self.token_name else self.username
