"""The pairs of addresses by which a viewer may be reached, on top of aioice's: which are checked, and which is used.

aioice decides by the rules of RFC 8445. Here stands what it lacks for a server at a port that is open to everybody: a
recorded check moves nobody, a viewer's new address is followed, and nothing that a viewer does makes us work without
end.
"""

from itertools import count
from typing import Any

from aioice import stun
from aioice.candidate import Candidate
from aioice.ice import CandidatePair, Connection, StunProtocol

from gateway.live.candidates import COMPONENT, of_path
from gateway.live.seats import Path, Seat
from gateway.live.udp import Address, UdpPath

MAX_PAIRS = 64
"""Pairs of addresses that are remembered for one viewer; each new one makes us send checks."""
LATE_RETRANSMISSIONS = 2
"""Of a check of an address that a viewer with a good pair comes from too: anybody may send a recorded check again from
there, and each makes us send these."""
ROLE_CONFLICT, MAX_CONFLICTS = 487, 8
"""RFC 8445 section 7.2.5.1: two settle it; aioice would change roles with a viewer for ever."""
_State = CandidatePair.State


class Pairs:
    """Those of one viewer. Takes aioice's place in deciding whether there are checks to make."""

    def __init__(self, connection: Connection) -> None:
        replaced: Any = connection
        self._connection = replaced
        self._poll = replaced._check_periodic  # noqa: SLF001
        replaced._check_periodic = self._check_periodic  # noqa: SLF001
        self._reached = False
        self._order = count()
        self._conflicts = 0

    @property
    def best(self) -> Any:
        """Return aioice's pair that packets go by, or ``None``."""
        return self._connection._nominated.get(COMPONENT)  # noqa: SLF001

    def crowded(self, address: Address) -> bool:
        """Tell whether a check comes from one address too many; those that came to nothing make room first."""
        candidates: list[Candidate] = self._connection._remote_candidates  # noqa: SLF001
        if len(candidates) < MAX_PAIRS:
            return False
        if any((one._network_host, one.port) == address for one in candidates):  # noqa: SLF001
            return False
        best, over = self.best, {_State.FAILED, _State.SUCCEEDED}
        kept = [pair for pair in self._list if pair is best or pair.state not in over]
        self._list[:] = kept
        candidates[:] = [pair.remote_candidate for pair in kept]
        return len(candidates) >= MAX_PAIRS

    def checked(self, link: "Link", address: Address, *, nominated: bool) -> None:
        """Have a pair that the viewer checks, and is not the one in use, checked anew before it may become so.

        aioice would go back at once to any pair that was ever good, on a check that anybody may have recorded; and
        would never again look at one whose check it gave up when it had the first good pair.
        """
        self._reached = True
        best = self.best
        if best is None:
            return
        for pair in self._list:
            if pair is best or pair.protocol is not link or pair.remote_addr != address:
                continue
            if pair.task is not None and pair.task.done():
                pair.task, pair.state = None, _State.WAITING
            elif nominated and pair.state is _State.SUCCEEDED:
                pair.state = _State.WAITING
            pair.nominated = pair.remote_nominated = False

    def answered(self) -> int:
        """Return the place of an answer among all of the viewer's."""
        return next(self._order)

    def stand_in(self) -> None:
        """Go on with another good pair where the one in use did not answer.

        A viewer whose router gave it a new address is heard from there, but not every one nominates it anew. So
        the pair that has answered a check of ours last is used, if that was after the silent one did.
        """
        best = self.best
        if best is None:
            return
        good = [pair for pair in self._list if pair.state is _State.SUCCEEDED]
        latest = max(good, key=_place, default=best)
        if _place(latest) > _place(best):
            self._connection._nominated[COMPONENT] = latest  # noqa: SLF001

    def conflict(self) -> bool:
        """Count a conflict of roles; return whether it is one too many."""
        self._conflicts += 1
        return self._conflicts > MAX_CONFLICTS

    @property
    def _list(self) -> list[CandidatePair]:
        found: list[CandidatePair] = self._connection._check_list  # noqa: SLF001
        return found

    def _check_periodic(self) -> bool:
        """Tell aioice whether to look again in 20 ms for checks to make.

        Its own answer is yes for as long as candidates may come, and so it notices success up to 20 ms late. Once the
        viewer has reached us there is only to wait for, besides checks that are due, what its checks bring.
        """
        states = {pair.state for pair in self._list}
        if self._reached and states and not states & {_State.WAITING, _State.FROZEN}:
            return False
        return bool(self._poll())


class Link(StunProtocol):
    """What aioice takes for a socket of its own: the part of one viewer in a path of the port."""

    def __init__(self, connection: Connection, pairs: Pairs, seat: Seat, path: Path) -> None:
        super().__init__(connection)
        self.path = path
        self.local_candidate = of_path(path)
        self.answered: dict[Address, int] = {}
        """Where our last check was answered from, with the place of that answer among all of the viewer's."""
        self._pairs = pairs
        self._seat = seat

    async def request(
        self,
        request: stun.Message,
        addr: Address,
        integrity_key: bytes | None = None,
        retransmissions: int | None = None,
    ) -> tuple[stun.Message, Address]:
        """Check a path. One that answers is the viewer's; an answer from elsewhere is none (RFC 7675 section 5.1)."""
        consent = retransmissions is not None
        if not consent and self._pairs.best is not None:
            retransmissions = LATE_RETRANSMISSIONS
        self._seat.expect(request.transaction_id)
        try:
            response, address = await super().request(request, addr, integrity_key, retransmissions)
            if address != addr:
                raise stun.TransactionTimeout
        except stun.TransactionError as error:
            conflict = error.response is not None and error.response.error_code == ROLE_CONFLICT
            if conflict and self._pairs.conflict():
                raise stun.TransactionTimeout from error
            if consent:
                self._pairs.stand_in()
            raise
        finally:
            self._seat.expect_no_more(request.transaction_id)
        self._remember(addr)
        return response, address

    async def send_data(self, data: bytes, addr: Address) -> None:
        """Send DTLS; what finds no room is sent again by its timer."""
        self.path.send(data, addr)

    def send_stun(self, message: stun.Message, addr: Address) -> None:
        """Send a check or its answer."""
        self.path.send(bytes(message), addr)

    async def close(self) -> None:
        """Leave the path to its owner."""

    def _remember(self, address: Address) -> None:
        self.answered.pop(address, None)
        self.answered[address] = self._pairs.answered()
        if len(self.answered) > MAX_PAIRS:
            del self.answered[next(iter(self.answered))]
        if isinstance(self.path, UdpPath):
            self._seat.hold(self.path, address, answered=True)


def _place(pair: CandidatePair) -> int:
    """Return the place of a pair's last answer among all of the viewer's, or -1."""
    link = pair.protocol
    return link.answered.get(pair.remote_addr, -1) if isinstance(link, Link) else -1
