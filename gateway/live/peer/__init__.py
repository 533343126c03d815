"""One WebRTC peer: ICE and DTLS by aiortc, packets by ourselves.

All that touches what aiortc, aioice and pylibsrtp do not publish is in this room (import-linter keeps pylibsrtp in it);
tests/unit/live/test_peer_contract.py names the versions that it was written against. Design note: docs/design/live.md.
"""

from gateway.live.peer.ice import CONSENT_FAILURES
from gateway.live.peer.peer import PINNED, PROFILES, Peer, host_addresses

__all__ = ["CONSENT_FAILURES", "PINNED", "PROFILES", "Peer", "host_addresses"]
