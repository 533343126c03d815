"""A gateway for the console alone: serves its files and answers its API with a made-up borough of six cameras.

``python -m tests.fakes.console_api --port 8900 [--state empty|setup|…]`` lets one look at every face of the console
without cameras, and lets a test put the page into states that a healthy gateway does not show.
"""

import argparse
import asyncio
import json
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.console.policy import INDEX, STATIC, security_headers
from kernel.clock import SystemClock
from tests.fakes import console_acts, console_deployments, console_events, console_hosts, console_people, console_units
from tests.fakes.console_account import account_routes
from tests.fakes.console_borough import LATITUDE, LONGITUDE, ground, probe
from tests.fakes.console_bounds import bounds
from tests.fakes.console_health import health_routes
from tests.fakes.console_record import record_routes
from tests.fakes.console_state import USER, FakeBorough, borough_of


def _problem(status: int, code: str, title: str, cure: str) -> JSONResponse:
    body = {"type": code, "title": title, "detail": cure, "status": status}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


async def _session(request: Request) -> Response:
    borough = borough_of(request)
    if request.method == "DELETE":
        borough.signed_in = False
        return Response(status_code=204)
    if request.method == "POST":
        given = await request.json()
        if given["password"] == "wrong":
            return _problem(401, "access.refused", "The user name or the password is wrong.", "Type both again.")
        borough.signed_in = True
    if not borough.signed_in:
        return _problem(401, "access.signed_out", "You are signed out.", "Sign in.")
    return JSONResponse({"user": borough.user, "server_time": borough.iso(), "ice_servers": False})


async def _setup(request: Request) -> Response:
    borough = borough_of(request)
    if request.method == "GET":
        return JSONResponse({"needed": borough.face == "setup"})
    given = await request.json()
    if given["code"] != "7GQ4-XM2P":
        return _problem(403, "access.code", "That is not the code.", "It stands in the gateway's terminal or log.")
    borough.face = "ready"
    return JSONResponse({"user": borough.user}, status_code=201)


async def _providers(request: Request) -> Response:
    return JSONResponse(borough_of(request).providers)


async def _cameras(request: Request) -> Response:
    borough = borough_of(request)
    if borough.face == "forbidden":
        return _problem(403, "access.forbidden", "You may not see cameras.", "Ask an administrator for the permission.")
    if borough.face == "failed":
        return _problem(503, "host.unreachable", "The camera host does not answer.", "It is restarted by itself.")
    if request.method == "POST":
        borough.enrolled.append(await request.json())
        return JSONResponse(borough.cameras[:1], status_code=201)
    return JSONResponse(borough.cameras)


async def _probe(request: Request) -> Response:
    given = await request.json()
    if given["password"] == "wrong":
        return _problem(
            422,
            "camera.unauthorized",
            "The camera refuses the user name or the password.",
            "Type the ones that were set on the camera for ONVIF. Some cameras lock after a few wrong ones.",
        )
    return JSONResponse(probe())


async def _discovery(_: Request) -> Response:
    names = ("Sightline Simulated Dome", "Sightline Simulated Dome", "Unknown maker X1")
    return JSONResponse(
        [
            {
                "addresses": [f"http://10.20.0.{n}/onvif/device_service"],
                "name": name,
                "hardware": "SD-1",
                "enrolled": n == 12,
            }
            for n, name in enumerate(names, 11)
        ]
    )


async def _presets(request: Request) -> Response:
    borough = borough_of(request)
    if request.method == "POST":
        given = await request.json()
        borough.presets.append({"token": f"p{len(borough.presets) + 1}", "name": given["name"]})
        return JSONResponse(borough.presets[-1], status_code=201)
    if request.method == "DELETE":
        token = request.path_params["token"]
        borough.presets[:] = [preset for preset in borough.presets if preset["token"] != token]
        return Response(status_code=204)
    return JSONResponse(borough.presets)


async def _timeline(request: Request) -> Response:
    borough = borough_of(request)
    spans = [
        {"start": borough.iso(-5400), "end": borough.iso(-1500)},
        {"start": borough.iso(-1290), "end": borough.iso(-420)},
        {"start": borough.iso(-405), "end": borough.iso(-2)},
    ]
    gaps = [
        {
            "start": borough.iso(-1500),
            "end": borough.iso(-1290),
            "cause": "network",
            "detail": "No answer from the camera.",
        },
        {"start": borough.iso(-420), "end": borough.iso(-405), "cause": "camera", "detail": "Its encoder restarted."},
    ]
    return JSONResponse({"spans": spans, "gaps": gaps, "newest": borough.iso(-2)})


async def _hosts(request: Request) -> Response:
    borough = borough_of(request)
    if borough.face == "hosts-forbidden":
        return _problem(403, "access.forbidden", "Your role may not do that.", "Ask an administrator if you need it.")
    if borough.face == "hosts-failed":
        return _problem(
            500, "sightline.bug", "Something went wrong inside Sightline.", "The log of the service says what."
        )
    borough.hosts_asked += 1
    shown = [console_hosts.counted(host, borough.cameras) for host in borough.hosts]
    for host in shown:
        if host["load"] is not None:
            host["load"] = console_hosts.drift(host["load"], borough.hosts_asked + 3 * host["index"])
    return JSONResponse(shown)


async def _viewers(request: Request) -> Response:
    borough = borough_of(request)
    host = borough.hosts[request.path_params["host"]]
    if not host["up"]:
        return _problem(503, host["problem"]["type"], host["problem"]["title"], host["problem"]["cure"])
    return JSONResponse(console_hosts.viewers(borough.cameras, borough.iso(-754)) if host["index"] == 0 else [])


async def _map(_: Request) -> Response:
    return JSONResponse({"tiles_url": None, "attribution": "", "centre": [LATITUDE, LONGITUDE]})


async def _ground(_: Request) -> Response:
    return JSONResponse(ground())


async def _whep(request: Request) -> Response:
    """Answer an offer: the page's peer connection is a fake too, and takes any answer."""
    borough = borough_of(request)
    borough.views.append((request.method, request.path_params["camera"]))
    if request.method != "POST":
        return Response(status_code=204)
    camera = next((each for each in borough.cameras if each["id"] == request.path_params["camera"]), None)
    problem = camera["state"].get("problem") if camera is not None else None
    if problem is not None and problem["type"].startswith("host."):
        borough.refused_offers += 1
        away = _problem(503, problem["type"], problem["title"], problem["cure"])
        away.headers["Retry-After"] = "2"
        return away
    if camera is None or camera["state"]["live"] != "live":
        return _problem(409, "live.not_live", "The camera is not live now.", "It is tried again by itself.")
    headers = {"Location": f"{request.url.path}/s1", **borough.shown.get(camera["number"], {})}
    answer = f"v=0\r\na=x-camera:{camera['number']}\r\n"
    return Response(answer, status_code=201, media_type="application/sdp", headers=headers)


async def _still(request: Request) -> Response:
    return Response(b"\xff\xd8\xff\xd9", media_type="image/jpeg", headers={"Sightline-Time": borough_of(request).iso()})


async def _clip(request: Request) -> Response:
    borough_of(request).exports.append((request.query_params["start"], request.query_params["end"]))
    return Response(b"", media_type="video/mp4", headers={"Content-Disposition": "attachment"})


async def _events(socket: WebSocket) -> None:
    borough = borough_of(socket)
    await socket.accept()
    left = asyncio.create_task(socket.receive())
    told = {camera["id"]: json.dumps(camera["state"]) for camera in borough.cameras}
    try:
        while not left.done():
            await socket.send_json({"t": "time", "server": borough.iso()})
            for _ in range(10):
                borough.turn(0.1)
                for camera in borough.cameras:
                    state = json.dumps(camera["state"])
                    if state != told.get(camera["id"]):
                        told[camera["id"]] = state
                        await socket.send_json({"t": "camera", "id": camera["id"], "state": camera["state"]})
                await asyncio.wait({left}, timeout=0.1)
                if left.done():
                    return
    except WebSocketDisconnect:
        return
    finally:
        left.cancel()


async def _steer(socket: WebSocket) -> None:
    borough = borough_of(socket)
    await socket.accept()
    stick = {"holder": USER["name"], "user_id": "u1", "idle_s": 0}
    try:
        while True:
            said = json.loads(await socket.receive_text())
            borough.commands.append(said)
            if said["t"] == "take" and borough.face == "stick":
                refusal = {
                    "type": "stick.held",
                    "title": "B. Jones has the stick.",
                    "detail": "Ask them to release it.",
                }
                await socket.send_json({"t": "error"} | refusal)
            elif said["t"] in ("take", "release"):
                mine = said["t"] == "take"
                await socket.send_json({"t": "stick", "holder": stick if mine else None, "mine": mine})
            elif said["t"] in ("move", "stop"):
                borough.velocity = (said.get("pan", 0.0), said.get("tilt", 0.0), said.get("zoom", 0.0))
                await socket.send_json({"t": "ack", "n": said["n"]})
    except WebSocketDisconnect:
        borough.velocity = (0.0, 0.0, 0.0)


async def _index(_: Request) -> Response:
    return FileResponse(INDEX)


def application(borough: FakeBorough) -> Any:
    """Return the ASGI application, with the same headers as the product's."""
    api = "/api/v1"
    camera = api + "/cameras/{camera}"
    app = Starlette(
        routes=[
            Route("/", _index),
            *(console_units.routes(api) if borough.face.startswith("units") or borough.face == "health-team" else ()),
            Route(api + "/session", _session, methods=["GET", "POST", "DELETE"]),
            Route(api + "/setup", _setup, methods=["GET", "POST"]),
            Route(api + "/oidc/providers", _providers),
            Route(api + "/cameras", _cameras, methods=["GET", "POST"]),
            Route(api + "/cameras/probe", _probe, methods=["POST"]),
            Route(api + "/discovery", _discovery, methods=["POST"]),
            Route(camera + "/bounds", bounds, methods=["GET", "PUT"]),
            Route(camera + "/presets", _presets, methods=["GET", "POST"]),
            Route(camera + "/presets/{token}", _presets, methods=["DELETE"]),
            Route(camera + "/timeline", _timeline),
            *console_acts.routes(api, camera),
            *console_events.routes(api),
            *console_deployments.routes(api),
            Route(camera + "/still", _still),
            Route(camera + "/clip.mp4", _clip),
            Route(api + "/hosts", _hosts),
            Route(api + "/hosts/{host:int}/viewers", _viewers),
            *account_routes(api),
            *record_routes(api),
            *health_routes(),
            *console_people.routes(api),
            Route(api + "/map", _map),
            Route(api + "/map/ground", _ground),
            Route("/whep/{camera}/{stream}", _whep, methods=["POST"]),
            Route("/whep/{camera}/{stream}/{session}", _whep, methods=["PATCH", "DELETE"]),
            WebSocketRoute(api + "/events", _events),
            WebSocketRoute(camera + "/steer", _steer),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
    )
    app.state.borough = borough
    headers = [(k.lower().encode(), v.encode()) for k, v in security_headers(INDEX.read_text()).items()]

    async def with_headers(scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = message | {"headers": [*message["headers"], *headers, (b"cache-control", b"no-cache")]}
            await send(message)

        await app(scope, receive, sending)

    return with_headers


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--face", default="ready")
    given = parser.parse_args()
    server = uvicorn.Server(
        uvicorn.Config(
            application(FakeBorough(SystemClock(), given.face)),
            host="127.0.0.1",
            port=given.port,
            log_level="warning",
            lifespan="off",
        )
    )
    asyncio.run(server.serve())


if __name__ == "__main__":
    main()
