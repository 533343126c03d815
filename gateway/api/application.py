"""The application: routers, errors, and the proof that every route names its permission."""

from typing import Any

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel

from gateway.access.permissions import Permission
from gateway.api import (
    account,
    approvals,
    bounds,
    cameras,
    confirming,
    events,
    ground,
    holds,
    hosts,
    live,
    oidc,
    partners,
    people,
    playback,
    presets,
    record,
    rights,
    seen,
    session,
    share_socket,
    share_talk,
    sharing,
    steer,
)
from gateway.api.description import check_permissions, described
from gateway.api.guard import needs, public
from gateway.api.problems import install
from gateway.api.rooms import Rooms

DOCUMENT = "/api/v1/openapi.json"

health = APIRouter()


class Health(BaseModel):
    """That the gateway answers."""

    status: str = "ok"


@health.get("/healthz", **public())
async def healthz() -> Health:
    """Say only that the gateway answers."""
    return Health()


def create_api(rooms: Rooms, *, version: str) -> FastAPI:
    """Return the API over ``rooms``."""
    app = FastAPI(
        title="Sightline", version=version, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    app.state.rooms = rooms
    for room in (
        health,
        session,
        account,
        confirming,
        cameras,
        presets,
        bounds,
        live,
        playback,
        hosts,
        ground,
        people,
        oidc,
        partners,
        share_talk,
        sharing,
        share_socket,
        rights,
        approvals,
        holds,
        record,
        seen,
        events,
        steer,
    ):
        app.include_router(room if isinstance(room, APIRouter) else room.router)

    @app.get(DOCUMENT, include_in_schema=False, **needs(Permission.SIGNED_IN))
    async def document() -> dict[str, Any]:
        return described(app, cookie=rooms.cookie)

    check_permissions(described(app, cookie=rooms.cookie))
    install(app)
    return app
