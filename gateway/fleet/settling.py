"""Whether a camera has come to rest: it records, or is known not to work at the moment."""

from gateway.fleet import rpc


def settled(state: rpc.CameraState | None, *, withheld: str | bool) -> bool:
    """Return whether it has. ``withheld``: it is not to be recorded."""
    if state is None or state.live is rpc.LiveState.CONNECTING:
        return False
    if state.live is not rpc.LiveState.LIVE or withheld or (recording := state.main.recording) is None:
        return True
    return recording.on or recording.failed
