"""What has come waits in bounded room, and is given all at once."""

import asyncio

import aiomqtt
import pytest

from gateway.telemetry.client import BATCH_MAX, _Batches


def message(mid: int, qos: int = 1) -> aiomqtt.Message:
    """Return one."""
    return aiomqtt.Message(topic="t", payload=b"", qos=qos, retain=False, mid=mid, properties=None)


async def test_what_has_come_is_given_at_once() -> None:
    """In its order, and no more than one transaction is to hold."""
    batches = _Batches()
    for mid in range(BATCH_MAX + 1):
        batches.put_nowait(message(mid))
    first, second = await batches.get(), await batches.get()
    assert [one.mid for one in first] == list(range(BATCH_MAX))
    assert [one.mid for one in second] == [BATCH_MAX]


async def test_too_much_to_acknowledge_is_seen() -> None:
    """A broker that does not keep to what it was told: what it sends beyond is not taken, and not acknowledged."""
    batches = _Batches(1)
    batches.put_nowait(message(1))
    batches.put_nowait(message(2))
    with pytest.raises(asyncio.QueueFull):
        batches.put_nowait(message(3))
    assert batches.overflowed
    assert [one.mid for one in await batches.get()] == [1, 2]


async def test_a_flood_of_the_brokers_log_leaves_room_for_units() -> None:
    """It has half the room, and what is beyond is passed over without more ado."""
    batches = _Batches(4)
    for mid in range(10):
        batches.put_nowait(message(mid, qos=0))
    batches.put_nowait(message(20))
    batches.put_nowait(message(21))
    assert not batches.overflowed
    assert batches.passed_over == 8
    assert [one.mid for one in await batches.get()] == [0, 1, 20, 21]


class Said:
    """A tap that keeps what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def close(self) -> None:
        """Keep it."""
        self.said.append("close")

    def open(self) -> None:
        """Keep it."""
        self.said.append("open")


async def test_where_too_much_waits_nothing_more_is_read() -> None:
    """Until half of it has been taken."""
    batches, tap = _Batches(2 * BATCH_MAX), Said()
    batches.tap = tap
    for mid in range(2 * BATCH_MAX - 1):
        batches.put_nowait(message(mid))
    assert tap.said == []
    batches.put_nowait(message(0))
    assert tap.said == ["close"]
    await batches.get()
    assert tap.said == ["close", "open"]
