"""What a stuck process says of itself."""

import asyncio
import io

from gateway.loop import write_tasks


async def _waits_for_the_camera(never: asyncio.Event) -> None:
    await never.wait()


async def test_each_task_is_named_with_the_line_it_waits_at() -> None:
    """Whoever looks for what does not end reads the task's name and where it stands."""
    said = io.StringIO()
    task = asyncio.create_task(_waits_for_the_camera(asyncio.Event()), name="camera 7 main")
    turned = asyncio.Event()
    asyncio.get_running_loop().call_soon(turned.set)
    await turned.wait()
    write_tasks(asyncio.get_running_loop(), said)
    task.cancel()
    assert "--- camera 7 main" in said.getvalue()
    assert "_waits_for_the_camera" in said.getvalue()
