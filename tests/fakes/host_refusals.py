"""What a camera host without cameras refuses: any route of its, by a knob."""

from starlette.responses import Response

from gateway.fleet import rpc


class Refusals:
    """``refuse[name]`` makes the route of that name answer with a problem; ``refused``: those that did."""

    def __init__(self) -> None:
        self.refuse: dict[str, rpc.Problem] = {}
        self.refused: list[str] = []

    def _refused(self, name: str) -> Response | None:
        problem = self.refuse.get(name)
        if problem is None:
            return None
        self.refused.append(name)
        return refusal(problem)


def refusal(problem: rpc.Problem) -> Response:
    """Return the answer that a problem is."""
    return Response(problem.model_dump_json(), problem.status, media_type=rpc.PROBLEM_MEDIA_TYPE)
