"""Made-up people and rights for the console alone."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.console_state import USER, FakeBorough

OTHERS = (("u2", "bjones", "Bryn Jones", "operator"), ("u3", "duty", "Duty desk", "viewer"))
OPERATES = ["export", "hold", "share", "signed_in", "steer", "still", "view_live", "view_recorded"]


def _borough(request: Request) -> FakeBorough:
    found: FakeBorough = request.app.state.borough
    return found


def _users(borough: FakeBorough) -> list[dict[str, Any]]:
    known = [(USER["id"], USER["username"], USER["name"], USER["role"]), *OTHERS]
    return [
        {
            "id": user_id,
            "username": username,
            "name": name,
            "role": role,
            "disabled": False,
            "created": borough.iso(-86_400),
            "signed_in": borough.iso(-600),
        }
        for user_id, username, name, role in known
    ]


def _groups(borough: FakeBorough) -> list[dict[str, Any]]:
    held = [camera["id"] for camera in borough.cameras[:3]]
    town = {"id": "g1", "name": "Town centre", "parent": None, "label": "Town", "cameras": [], "holds": held}
    market = {"id": "g2", "name": "Market", "parent": "g1", "label": None, "cameras": held[:1], "holds": held[:1]}
    return [{**group, "area": []} for group in (town, market)]


def _grants(borough: FakeBorough) -> list[dict[str, Any]]:
    grant = {
        "id": "r1",
        "role": "operator",
        "user": None,
        "team": "t1",
        "group": "g1",
        "start": borough.iso(-3600),
        "end": borough.iso(86_400),
        "reason": "Carnival",
        "granted_by": USER["id"],
        "glass": False,
    }
    return [grant]


def _answers(borough: FakeBorough) -> dict[str, Any]:
    held = {"role": "operator", "team": "t1", "group": "g1", "end": borough.iso(86_400), "permissions": OPERATES}
    return {
        "users": _users(borough),
        "teams": [{"id": "t1", "name": "Night shift", "users": ["u2", "u3"]}],
        "groups": _groups(borough),
        "roles": [{"id": "operator", "name": "operator", "permissions": OPERATES, "fixed": True}],
        "grants": _grants(borough),
        "factors": {"password": True, "totp": borough.iso(-9000), "passkeys": [], "recovery_left": 9},
        "accounts": [],
        "rights": [{**held, "rule": "grant:r1", "cameras": [camera["id"] for camera in borough.cameras[:3]]}],
        "going-on": [],
    }


async def _answer(request: Request) -> Response:
    return JSONResponse(_answers(_borough(request))[request.url.path.rsplit("/", 1)[-1]])


def routes(api: str) -> list[Route]:
    """Return the routes below ``api``."""
    lists = [Route(f"{api}/{name}", _answer) for name in ("users", "teams", "groups", "roles", "grants")]
    ones = [Route(f"{api}/users/{{user}}/{name}", _answer) for name in ("factors", "accounts", "rights", "going-on")]
    return [*lists, *ones, Route(f"{api}/grants/{{grant}}/going-on", _answer)]
