"""The account of who is signed in to the made-up borough: factors and sessions, as the console asks for them."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.console_state import borough_of


def account_routes(api: str) -> list[Route]:
    """Return the routes under the address of the API."""
    return [
        Route(api + "/session/confirm", _confirm, methods=["GET", "POST"]),
        Route(api + "/session/active", _confirm, methods=["POST"]),
        Route(api + "/session/factors", _factors),
        Route(api + "/sessions", _sessions),
    ]


async def _confirm(_: Request) -> Response:
    return Response(status_code=204)


async def _factors(request: Request) -> Response:
    borough = borough_of(request)
    keys = [
        {"id": "k1", "name": "Desk 4", "created": borough.iso(-9e6), "used": borough.iso(-3600), "here": True},
        {"id": "k2", "name": "Mary's phone", "created": borough.iso(-8e6), "used": None, "here": False},
    ]
    return JSONResponse(
        {
            "password": True,
            "totp": borough.iso(-7e6),
            "passkeys": keys,
            "recovery_left": 2,
            "required": False,
            "passkeys_usable": True,
        }
    )


async def _sessions(request: Request) -> Response:
    borough = borough_of(request)
    known = [
        ("Edge 139 on Windows", "10.0.4.17", ["password", "passkey"], "open"),
        ("Chrome 139 on Android", "10.0.9.201", ["passkey"], "locked"),
        ("Firefox 140 on Linux", "10.0.4.2", ["password", "totp"], "wall"),
    ]
    return JSONResponse(
        [
            {
                "id": f"s{n}",
                "user_id": "u1",
                "username": "mary",
                "name": "Mary Ellis",
                "since": borough.iso(-7200.0 * (n + 1)),
                "used": borough.iso(-5),
                "address": address,
                "browser": browser,
                "methods": methods,
                "state": state,
                "current": n == 0,
            }
            for n, (browser, address, methods, state) in enumerate(known)
        ]
    )
