"""Waiting for a broker: ended at any moment, and given up in time."""

import asyncio

import aiomqtt
import pytest

from drivers.mqtt import MqttClient
from tests.fakes.clock import settle


@pytest.mark.parametrize("turns", range(6))
async def test_whoever_is_told_to_end_as_the_answer_comes_ends(turns: int) -> None:
    """The cancellation is obeyed, in whichever turn of the loop after the answer it comes."""
    client, answered = MqttClient("broker.example.org"), asyncio.Event()

    async def speak() -> None:
        await client._wait_for(answered.wait(), None)
        await asyncio.Event().wait()

    speaking = asyncio.create_task(speak())
    await settle(3)
    answered.set()
    await settle(turns)
    speaking.cancel()
    await settle()
    assert speaking.cancelled()


async def test_a_broker_that_does_not_answer_is_given_up() -> None:
    """After the time that was said for this answer, or for all."""
    with pytest.raises(aiomqtt.MqttError, match="timed out"):
        await MqttClient("broker.example.org")._wait_for(asyncio.Event().wait(), 0.01)
    with pytest.raises(aiomqtt.MqttError, match="timed out"):
        await MqttClient("broker.example.org", timeout=0.01)._wait_for(asyncio.Event().wait(), None)
