"""The application: routers, errors, and the proof that every route names its permission."""

from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel

from gateway.access.permissions import Permission
from gateway.api import (
    account,
    approvals,
    availability,
    bounds,
    camera_password,
    cameras,
    checkup,
    confirming,
    deployables,
    deployment_bounds,
    deployment_erasing,
    deployment_photos,
    deployments,
    effect,
    event_brokers,
    events,
    footage,
    glass,
    ground,
    health,
    holds,
    hosts,
    live,
    main_stream,
    oidc,
    outlets,
    partners,
    people,
    places,
    playback,
    presets,
    put_offs,
    record,
    reference_view,
    rights,
    seen,
    session,
    share_socket,
    share_talk,
    sharing,
    steer,
    unit_commands,
    unit_labels,
    units,
)
from gateway.api.description import check_permissions, described
from gateway.api.guard import needs, public
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
    return _described(request.app.version, rooms_of(request).cookie)


def create_api(rooms: Rooms, *, version: str) -> FastAPI:
    """Return the API over ``rooms``.

    Raises:
        RuntimeError: a route names no permission.
    """
    _described(version, rooms.cookie)
    app = _routed(version)
    app.state.rooms = rooms
    install(app)
    return app


@cache
def _described(version: str, cookie: str) -> dict[str, Any]:
    """Return the document, and see to it that every route names its permission. Every application has these routes."""
    document = described(_routed(version), cookie=cookie)
    check_permissions(document)
    return document


def _routed(version: str) -> FastAPI:
    app = FastAPI(
        title="Sightline", version=version, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    for room in (
        service,
        session,
        account,
        confirming,
        camera_password,
        cameras,
        presets,
        bounds,
        deployables,
        deployments,
        deployment_bounds,
        deployment_erasing,
        deployment_photos,
        live,
        playback,
        footage,
        places,
        health,
        availability,
        event_brokers,
        checkup,
        main_stream,
        put_offs,
        reference_view,
        hosts,
        ground,
        people,
        oidc,
        partners,
        share_talk,
        sharing,
        outlets,
        share_socket,
        rights,
        glass,
        effect,
        approvals,
        holds,
        record,
        seen,
        events,
        steer,
        unit_labels,
        units,
        unit_commands,
    ):
        # As they are: a router that is included has each of its routes read anew at the first request, in every
        # application, and is asked twice which one it is.
        app.router.routes.extend((room if isinstance(room, APIRouter) else room.router).routes)
    return app
