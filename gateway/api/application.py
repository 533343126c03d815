"""The application: routers, errors, and the proof that every route names its permission."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel

from gateway.access.permissions import Permission
from gateway.api import cameras, events, ground, hosts, live, people, playback, presets, record, session, steer
from gateway.api.guard import PERMISSION_KEY, needs, public
from gateway.api.problems import install
from gateway.api.rooms import Rooms, rooms_of

DOCUMENT = "/api/v1/openapi.json"

service = APIRouter()


class Health(BaseModel):
    """That the gateway answers."""

    status: str = "ok"


@service.get("/healthz", **public())
async def healthz() -> Health:
    """Say only that the gateway answers."""
    return Health()


@service.get(DOCUMENT, include_in_schema=False, **needs(Permission.SIGNED_IN))
async def document(request: Request) -> dict[str, Any]:
    """Return the OpenAPI document.

    Not a function made for each application: FastAPI remembers every function that it ever made a route of, and through
    it would keep the application with all that is behind it.
    """
    return described(request.app, cookie=rooms_of(request).cookie)


def create_api(rooms: Rooms, *, version: str) -> FastAPI:
    """Return the API over ``rooms``."""
    app = FastAPI(
        title="Sightline", version=version, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    app.state.rooms = rooms
    for room in (service, session, cameras, presets, live, playback, hosts, ground, people, record, events, steer):
        app.include_router(room if isinstance(room, APIRouter) else room.router)

    check_permissions(described(app, cookie=rooms.cookie))
    install(app)
    return app


def described(app: FastAPI, *, cookie: str) -> dict[str, Any]:
    """Return the OpenAPI document, with the ways to sign in."""
    known = app.openapi()
    known.setdefault("components", {})["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": cookie},
        "token": {"type": "http", "scheme": "bearer"},
    }
    return known


def check_permissions(document: dict[str, Any]) -> None:
    """Refuse to serve a route that does not say who may use it.

    Raises:
        RuntimeError: there is one.
    """
    silent = [
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if PERMISSION_KEY not in operation
    ]
    if silent:
        msg = f"these routes name no permission: {', '.join(silent)}"
        raise RuntimeError(msg)
