"""What a camera host without cameras refuses: any route of its, by a knob."""

import asyncio

from starlette.responses import Response

from gateway.fleet import rpc


class Refusals:
    """``refuse[name]`` makes the route of that name answer with a problem; ``refused``: those that did.

    ``held_back[name]``: its next answer, which is of when it was asked, comes once the event is set.
    """

    def __init__(self) -> None:
        self.refuse: dict[str, rpc.Problem] = {}
        self.refused: list[str] = []
        self.held_back: dict[str, asyncio.Event] = {}

    async def _hold(self, name: str) -> None:
        held = self.held_back.pop(name, None)
        if held is not None:
            await held.wait()

    def _refused(self, name: str) -> Response | None:
        problem = self.refuse.get(name)
        if problem is None:
            return None
        self.refused.append(name)
        return refusal(problem)


def refusal(problem: rpc.Problem) -> Response:
    """Return the answer that a problem is."""
    return Response(problem.model_dump_json(), problem.status, media_type=rpc.PROBLEM_MEDIA_TYPE)
