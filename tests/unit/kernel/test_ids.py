"""Identifiers."""

from uuid import UUID

from kernel.ids import new_camera_id, new_id


def test_ids_are_uuid7() -> None:
    """An identifier is a version 7 UUID of the RFC 9562 variant."""
    value = UUID(new_id())
    assert value.version == 7
    assert value.variant == "specified in RFC 4122"


def test_ids_sort_by_time() -> None:
    """Identifiers made later sort later, to the millisecond."""
    ids = [new_id()[:12] for _ in range(1000)]
    assert ids == sorted(ids)


def test_camera_ids_differ() -> None:
    """No two cameras share an identifier."""
    assert len({new_camera_id() for _ in range(1000)}) == 1000
