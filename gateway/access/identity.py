"""Who is asking."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from gateway.access.permissions import Permission, Role


class SessionState(StrEnum):
    """What a session is: only an open one can be acted through."""

    OPEN = "open"
    LOCKED = "locked"
    """Nobody has been at the keys for a while, or somebody locked it."""
    WALL = "wall"
    """Made a wallboard on purpose: shows live pictures for as long as it lasts, and nothing else."""


_SHUT = frozenset({Permission.SIGNED_IN, Permission.VIEW_LIVE})
"""What a session may that is locked or a wallboard."""
_ENROLLING = frozenset({Permission.SIGNED_IN})
"""What a session may whose user has to enrol a second factor first."""


def ceiling_of(state: SessionState, *, enrol_due: bool) -> frozenset[Permission]:
    """Return beyond what a session goes in no case."""
    return _ENROLLING if enrol_due else _SHUT if state is not SessionState.OPEN else frozenset(Permission)


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
    """Whatever their rights, nothing beyond this: a locked session only views, a token may be less than its user."""
    state: SessionState = SessionState.OPEN
    methods: tuple[str, ...] = ()
    """How they proved who they are; empty for a token."""
    confirmed: bool = False
    """They proved it lately enough for a sharp act."""
    enrol_due: bool = False
    """They have to enrol a second factor before anything else."""
    reference: str = ""
    """The incident or request that they said they are at work on."""

    @property
    def shown(self) -> str:
        """Return the name for logs and the audit: a token's name stands behind its user's."""
        return f"{self.username} ({self.token_name})" if self.token_name else self.username

    def turned(self, state: SessionState) -> Self:
        """Return who they are once their session was locked, made a wallboard, or opened."""
        return replace(
            self,
            state=state,
            ceiling=ceiling_of(state, enrol_due=self.enrol_due),
            confirmed=self.confirmed and state is SessionState.OPEN,
        )
