"""The recordings of a camera host that has none: answered from memory; an export can break off or stand still."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from drivers.model import EventBroker
from gateway.fleet import footage, rpc
from gateway.fleet.held import Held, HoldList, HoldReview, HoldWish
from gateway.fleet.looking import EventBrokerList
from kernel.head import Position
from kernel.ids import CameraId
from tests.fakes.host_refusals import Refusals, refusal
from tests.fakes.photos import photo

NOTHING = rpc.Problem(type="recording.nothing-recorded", title="Nothing was recorded then.", status=404)


class Footage(Refusals):
    """State, knobs and routes."""

    def __init__(self) -> None:
        super().__init__()
        self.timeline = footage.TimelineReply(spans=(), gaps=(), newest_ns=None)
        self.holds: dict[str, Held] = {}
        self.erased: list[tuple[int, int]] = []
        self.snapshot_jpeg, self.still_jpeg = photo(shade=71), photo(shade=72)
        self.still_ns: int | None = None
        """When stills were taken, where that is not just when they are asked for."""
        self.listed_ns: list[int] = []
        """From when on playlists were asked for."""
        self.export_breaks = False
        self.exporting = asyncio.Event()
        """Clear it, and an export stands still after its first piece."""
        self.exporting.set()
        self.seen = b"\x80" * 14_400
        """What was seen last, as a reference view."""
        self.seen_at: Position | None = None
        """Where the head stood then."""
        self.event_brokers: dict[str, EventBroker] = {}
        """By address: at which a device was told to publish its events."""
        self.titles: list[str | None] = []

    def footage_routes(self) -> list[Route]:
        """Return the routes."""
        camera, stream = "/cameras/{camera}", "{stream}"
        return [
            Route(f"{camera}/timeline/{stream}", self._timeline),
            Route(f"{camera}/playlist/{stream}", self._playlist),
            Route(camera + "/init/{stream}/{file}", self._init),
            Route(camera + "/fragment/{stream}/{file}/{index}", self._fragment),
            Route(f"{camera}/still/{stream}", self._still),
            Route(f"{camera}/export/{stream}", self._export),
            Route(f"{camera}/snapshot", self._snapshot),
            Route(f"{camera}/look", self._look),
            Route("/holds", self._every_hold),
            Route(camera + "/erasure", self._erase, methods=["POST"]),
            Route(f"{camera}/holds", self._held, methods=["GET", "POST"]),
            Route(camera + "/holds/{hold}", self._review_hold, methods=["PATCH"]),
            Route(camera + "/holds/{hold}", self._release_hold, methods=["DELETE"]),
            Route(f"{camera}/event-brokers", self._event_brokers, methods=["GET", "POST", "DELETE"]),
            Route("/verify", self._verify, methods=["POST"]),
        ]

    async def _look(self, _request: Request) -> Response:
        at = self.seen_at
        told = {rpc.HEAD_HEADER: json.dumps(asdict(at))} if at is not None else {}
        return self._refused("look") or Response(self.seen, headers=told)

    async def _timeline(self, _request: Request) -> Response:
        return self._refused("timeline") or Response(rpc.wire(self.timeline))

    async def _playlist(self, request: Request) -> Response:
        self.listed_ns.append(int(request.query_params["start_ns"]))
        return self._refused("playlist") or Response(f"#EXTM3U\n{request.query_params.get('prefix', '')}f-0.m4s\n")

    async def _init(self, request: Request) -> Response:
        return Response(f"init {request.path_params['file']}".encode())

    async def _fragment(self, request: Request) -> Response:
        return Response(f"fragment {request.path_params['file']} {request.path_params['index']}".encode())

    async def _held(self, request: Request) -> Response:
        camera = CameraId(request.path_params["camera"])
        if request.method == "POST":
            wish = HoldWish.model_validate_json(await request.body())
            held = Held(id=f"hold-{len(self.holds) + 1}", camera=camera, created_ns=0, **wish.model_dump())
            self.holds[held.id] = held
            return Response(rpc.wire(held))
        return Response(rpc.wire(HoldList(holds=tuple(one for one in self.holds.values() if one.camera == camera))))

    async def _event_brokers(self, request: Request) -> Response:
        if request.method == "POST":
            broker = EventBroker.model_validate_json(await request.body())
            self.event_brokers[broker.address] = broker
        elif request.method == "DELETE":
            self.event_brokers.pop(request.query_params["address"], None)
        told = tuple(one.model_copy(update={"password": SecretStr("")}) for one in self.event_brokers.values())
        return Response(rpc.wire(EventBrokerList(brokers=told)))

    async def _erase(self, request: Request) -> Response:
        wish = footage.ErasureWish.model_validate_json(await request.body())
        self.erased.append((wish.start_ns, wish.end_ns))
        return Response(rpc.wire(footage.ErasureReply(files=2, kept=1)))

    async def _every_hold(self, _request: Request) -> Response:
        every = HoldList(holds=tuple(self.holds.values()))
        return self._refused("holds") or Response(rpc.wire(every))

    async def _review_hold(self, request: Request) -> Response:
        review = HoldReview.model_validate_json(await request.body())
        held = self.holds[request.path_params["hold"]].model_copy(update={"review_ns": review.review_ns})
        self.holds[held.id] = held
        return Response(rpc.wire(held))

    async def _release_hold(self, request: Request) -> Response:
        del self.holds[request.path_params["hold"]]
        return Response(status_code=204)

    async def _still(self, request: Request) -> Response:
        at_ns = int(request.query_params["at_ns"])
        spans = self.timeline.spans
        if spans and not any(one.start_ns <= at_ns < one.end_ns for one in spans):
            return refusal(NOTHING)
        headers = {"Sightline-Wall-Ns": str(at_ns if self.still_ns is None else self.still_ns)}
        return self._refused("still") or Response(self.still_jpeg, media_type="image/jpeg", headers=headers)

    async def _export(self, request: Request) -> Response:
        self.titles.append(request.query_params.get("title"))

        async def pieces() -> AsyncIterator[bytes]:
            yield b"ftyp"
            if self.export_breaks:
                raise ConnectionResetError
            await self.exporting.wait()
            yield b"moof"

        return self._refused("export") or StreamingResponse(pieces(), media_type="video/mp4")

    async def _snapshot(self, _request: Request) -> Response:
        return self._refused("snapshot") or Response(self.snapshot_jpeg, media_type="image/jpeg")

    async def _verify(self, _request: Request) -> Response:
        return JSONResponse({"checked": 3, "problems": []})
