"""The watchdog is fed by progress alone."""

import asyncio
import contextlib
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from gateway.worker.server import ServiceManager, feed_watchdog
from tests.fakes.clock import ManualClock


class Host:
    """Has done ``done`` so far."""

    def __init__(self) -> None:
        self.done = 0

    def progress(self) -> int:
        """Return it."""
        return self.done


class Manager:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.fed = 0

    def notify(self, message: str) -> None:
        """Be told."""
        self.fed += message == "WATCHDOG=1"


async def test_a_host_that_does_nothing_is_not_excused(clock: ManualClock) -> None:
    """While work is done the watchdog is fed at a third of its time; when it stops, feeding stops."""
    host: Any = Host()
    manager: Any = Manager()
    feeding = asyncio.create_task(feed_watchdog(host, manager, clock=clock))
    for _ in range(3):
        host.done += 1
        await clock.turn(10)
    fed = manager.fed
    await clock.turn(60)
    starved = manager.fed
    feeding.cancel()
    await asyncio.wait([feeding])
    assert fed >= 3
    assert starved <= fed + 1


def test_a_manager_that_hears_no_more_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What finds no room in its ear is lost: a host goes on recording beside a gateway that stands still."""
    path = str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    kind = (socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    with socket.socket(*kind) as ear, socket.socket(*kind) as another:
        ear.bind(path)
        another.connect(path)
        with contextlib.suppress(BlockingIOError):
            while True:
                another.send(b"another")
        with contextlib.closing(ServiceManager()) as manager:
            # In a thread: sdnotify keeps to itself whatever interrupts it, this test's time limit too.
            telling = threading.Thread(target=manager.notify, args=("WATCHDOG=1",), daemon=True)
            telling.start()
            telling.join(10)
            assert not telling.is_alive()
            ear.recv(64)
            manager.notify("STOPPING=1")
        heard = []
        with contextlib.suppress(BlockingIOError):
            while True:
                heard.append(ear.recv(64))
    assert heard[-1] == b"STOPPING=1"
    assert b"WATCHDOG=1" not in heard
