"""Errors as RFC 9457 problem details: ``type`` is our stable code, ``title`` the sentence, ``detail`` the cure."""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from kernel.errors import SightlineError

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What every error answers."""

    type: str
    title: str
    detail: str = ""
    status: int


TOO_LARGE = Problem(type="api.too-large", title="The request's body is too large.", detail="Send less.", status=413)


def problem(error: SightlineError) -> Problem:
    """Return the problem details of an error."""
    return Problem(
        type=error.code,
        title=error.message,
        detail=error.cure,
        status=getattr(error, "status", 500),
    )


def response(
    shown: Problem, *, headers: Mapping[str, str] | None = None, more: Mapping[str, Any] | None = None
) -> JSONResponse:
    """Return the answer that carries a problem; ``more`` are extension members (RFC 9457 section 3.2)."""
    return JSONResponse(
        {**shown.model_dump(), **(more or {})},
        status_code=shown.status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def refusal(error: SightlineError) -> JSONResponse:
    """Return the answer to an error of ours, with Retry-After where it knows when."""
    headers = {}
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    shown = problem(error)
    if shown.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return response(shown, headers=headers, more=getattr(error, "extension", None))


async def _ours(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SightlineError)
    return refusal(error)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    sentences = [f"{_where(detail['loc'])}: {_said(detail)}" for detail in error.errors()[:8]]
    return response(
        Problem(
            type="api.request",
            title="The request is not as it should be: " + "; ".join(sentences) + ".",
            detail="The API's description is at /api/v1/openapi.json.",
            status=422,
        )
    )


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 413:
        return response(TOO_LARGE, headers=error.headers)
    title = {
        400: "The request cannot be understood.",
        404: "There is nothing at this address.",
        405: "That cannot be done at this address.",
    }.get(error.status_code, str(error.detail))
    return response(
        Problem(type=f"http.{error.status_code}", title=title, status=error.status_code), headers=error.headers
    )


async def _bug(_request: Request, _error: Exception) -> JSONResponse:
    # Starlette raises it again after this answer, so that it is logged with its traceback, once.
    return response(
        Problem(
            type="sightline.bug",
            title="Something went wrong inside Sightline.",
            detail="The log of the service says what; recording is not affected.",
            status=500,
        )
    )


def install(app: FastAPI) -> None:
    """Make every error of ``app`` answer with problem details."""
    app.add_exception_handler(SightlineError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)


def _where(location: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in location if part not in {"body", "query", "path"}) or "body"


def _said(detail: Mapping[str, Any]) -> str:
    message = str(detail["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
