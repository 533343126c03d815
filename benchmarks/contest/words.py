"""A process that is spoken to in words and answers in lines of JSON."""

import asyncio
import json
from asyncio.subprocess import Process
from typing import Any


class Spoken:
    """The asking side. ``name`` stands in errors."""

    def __init__(self, process: Process, name: str) -> None:
        self.process = process
        self._name = name

    async def hear(self, *, within_s: float = 60.0) -> dict[str, Any]:
        """Return its next line.

        Raises:
            RuntimeError: it ended, or tells of an error.
        """
        assert self.process.stdout is not None
        async with asyncio.timeout(within_s):
            line = await self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._name} ended; its message stands above.")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{self._name}: {answer['error']}")
        return answer

    async def ask(self, word: str, *, within_s: float = 60.0) -> dict[str, Any]:
        """Say a word and return the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(word.encode() + b"\n")
        return await self.hear(within_s=within_s)
