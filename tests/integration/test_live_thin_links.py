"""Debian's Chromium at the end of a link that is too thin for the main stream: it is shown the sub stream instead."""

import itertools
import statistics

import pytest

from kernel.ids import StreamName
from tests.fakes.lossy_view import KEYFRAME_INTERVAL_MS, lossy_view
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(120)
LINK_BIT_S = 1_500_000
"""The main stream has some 2.3 Mbit/s, the sub stream 0.3."""


async def test_a_thin_link_gets_the_sub_stream_in_the_same_view() -> None:
    """On a link of 1.5 Mbit/s the view goes on with the sub stream's pictures: no new offer, fresh ones."""
    async with lossy_view(seed=6, sub=True) as view:
        assert view.viewer.stream is StreamName.MAIN
        session = view.viewer.session
        view.relay.down.bit_s = LINK_BIT_S
        await until(lambda: view.viewer.stream is StreamName.SUB, timeout_s=40, what="the sub stream")
        await view.sees(320)
        await view.page.evaluate("shown.length = 0")
        await view.play(100)
        shown: list[tuple[float, float | None]] = await view.page.evaluate("shown")
        assert view.viewer.session == session
    freezes_ms = [after[0] - before[0] for before, after in itertools.pairwise(shown)]
    assert max(freezes_ms) < KEYFRAME_INTERVAL_MS
    assert statistics.median(age for _, age in shown[-25:] if age is not None) < 1000
