"""The OpenAPI document: what FastAPI knows of the routes, and what every one of them has beside."""

from typing import Any

from fastapi import FastAPI

from gateway.api.guard import PERMISSION_KEY, PUBLIC
from gateway.api.problems import MEDIA_TYPE, Problem

_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_EVERY = {"4XX": "Refused; the problem says why.", "5XX": "It cannot be done now; the problem says what to do."}
_GUARDED = {"401": "Nobody is signed in.", "403": "Not with this permission, or not from our own pages."}
_NAMED = {"404": "There is none of that name."}
_GIVEN = {"422": "What was sent is not as described here."}


def answers(
    *kinds: str, status: int | str = 200, description: str = "What was asked for"
) -> dict[int | str, dict[str, Any]]:
    """Return what a route's decorator takes as ``responses`` where it answers no JSON but these media types."""
    return {status: {"description": description, "content": {kind: {} for kind in kinds}}}


def described(app: FastAPI, *, cookie: str) -> dict[str, Any]:
    """Return the OpenAPI document, with the ways to sign in and the problems that each route answers."""
    known = app.openapi()
    components = known.setdefault("components", {})
    components["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": cookie},
        "token": {"type": "http", "scheme": "bearer"},
    }
    schemas = components.setdefault("schemas", {})
    # FastAPI's own account of a body that does not fit; ours answers a problem.
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = Problem.model_json_schema()
    for path, operations in known["paths"].items():
        for operation in operations.values():
            said = operation["responses"]
            said.pop("422", None)
            # A route that refuses otherwise, with a page for a browser that was sent here, says so itself.
            operation["responses"] = _refusals(path, operation) | said
    return known


def _refusals(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    said = dict(_EVERY)
    if operation.get(PERMISSION_KEY) != PUBLIC:
        said |= _GUARDED
    if "{" in path:
        said |= _NAMED
    if "requestBody" in operation or operation.get("parameters"):
        said |= _GIVEN
    return {status: {"description": text, "content": _PROBLEM} for status, text in said.items()}


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
