"""What events of cameras mean, whatever way they came by."""

from gateway.fleet import rpc

_TAMPER = ("tns1:VideoSource/GlobalSceneChange/", "tns1:RuleEngine/TamperDetector/")
"""The whole scene changed (Imaging section 6.1), or a detector of that says so (Analytics annex A)."""
_YES, _NO = frozenset({"true", "1"}), frozenset({"false", "0"})


def tampered(event: rpc.CameraHappened) -> bool | None:
    """Return whether a camera says that somebody is at it, or is not any more; ``None`` for anything else."""
    if not event.topic.startswith(_TAMPER):
        return None
    said = {value.lower() for value in event.data.values()}
    return True if said & _YES else False if said & _NO else None
