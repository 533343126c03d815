"""Tickets: what was begun and is to be completed in a moment. They live in memory, for minutes, for one address."""

import secrets
from collections import Counter, OrderedDict
from dataclasses import dataclass
from enum import Enum, auto

from gateway.access.errors import CredentialsError
from gateway.access.limits import network_of
from gateway.access.secrets import new_secret
from kernel.clock import NS_PER_S, Clock

VALID_S = 300
KEPT_MAX = 10_000
OF_NETWORK_MAX = 50
"""Open tickets of one network; its oldest makes room. Others' are not pushed out by a flood."""
TRIES = 5


class Purpose(Enum):
    """What a ticket is for; it is good for nothing else."""

    SECOND = auto()
    """The password was right; a second factor is due."""
    PASSKEY = auto()
    """Somebody unknown is about to sign in with a passkey."""
    CONFIRM = auto()
    """Somebody signed in is about to prove again who they are."""
    ADD_PASSKEY = auto()
    ADD_TOTP = auto()


@dataclass(slots=True, kw_only=True)
class Ticket:
    """What one holds."""

    purpose: Purpose
    network: str
    until_ns: int
    user_id: str = ""
    session: str = ""
    challenge: bytes = b""
    secret: str = ""
    stamp: str = ""
    """The hash of the password that was right: with another one meanwhile, this completes nothing."""
    tries: int = TRIES


class Tickets:
    """The open ones."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._open: OrderedDict[str, Ticket] = OrderedDict()
        self._of_network: Counter[str] = Counter()

    def new(  # noqa: PLR0913 - what the kinds of tickets hold
        self, purpose: Purpose, *, address: str, user_id: str = "", session: str = "", secret: str = "", stamp: str = ""
    ) -> tuple[str, bytes]:
        """Return a new ticket and its challenge (WebAuthn section 13.4.3)."""
        network = network_of(address)
        challenge = secrets.token_bytes(32)
        name = new_secret()
        self._make_room(network)
        self._open[name] = Ticket(
            purpose=purpose,
            network=network,
            until_ns=self._clock.monotonic_ns() + VALID_S * NS_PER_S,
            user_id=user_id,
            session=session,
            challenge=challenge,
            secret=secret,
            stamp=stamp,
        )
        self._of_network[network] += 1
        return name, challenge

    def use(self, name: str, purpose: Purpose, *, address: str) -> Ticket:
        """Return a ticket; it can be used :data:`TRIES` times until it is :meth:`dropped <drop>`.

        Raises:
            CredentialsError: none, too old, used too often, for something else, or from elsewhere.
        """
        ticket = self._open.get(name)
        good = (
            ticket is not None
            and ticket.purpose is purpose
            and ticket.network == network_of(address)
            and self._clock.monotonic_ns() < ticket.until_ns
        )
        if ticket is None or not good:
            raise CredentialsError("That took too long, or was tried too often.", cure="Begin again.")
        ticket.tries -= 1
        if not ticket.tries:
            self.drop(name)
        return ticket

    def peek(self, name: str) -> Ticket | None:
        """Return a ticket without using it."""
        return self._open.get(name)

    def drop(self, name: str) -> None:
        """End a ticket."""
        ticket = self._open.pop(name, None)
        if ticket is not None:
            self._of_network[ticket.network] -= 1
            if not self._of_network[ticket.network]:
                del self._of_network[ticket.network]

    def _make_room(self, network: str) -> None:
        now_ns = self._clock.monotonic_ns()
        while self._open and (len(self._open) >= KEPT_MAX or self._open[next(iter(self._open))].until_ns <= now_ns):
            self.drop(next(iter(self._open)))
        if self._of_network[network] >= OF_NETWORK_MAX:
            self.drop(next(name for name, ticket in self._open.items() if ticket.network == network))
