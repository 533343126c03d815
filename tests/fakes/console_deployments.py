"""Made-up deployments for the console alone: one in alarm, one overdue, one to be decided on, one planned."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.console_borough import place
from tests.fakes.console_state import FakeBorough, borough_of
from tests.fakes.photos import photo

DAY_S = 86_400.0
CRITERIA = (
    "Crime, disorder or calls for service at the place are recorded and recent",
    "Other measures were tried or would not do",
    "The gain outweighs the intrusion on those who live and pass there",
)
RULES = {
    "criteria": CRITERIA,
    "two_people": True,
    "max_days": 84,
    "review_days": 28,
    "spread_m": 100.0,
    "sign_photos": True,
    "fence_m": 30.0,
}
_PHOTOS = {f"{n:064x}": (kind, 60 + 30 * n) for n, kind in enumerate(("sign-up", "unit"), 1)}
_PICTURES = {f"{n:064x}": 60 + 30 * n for n in (3, 4, 5)}


def _one(borough: FakeBorough, id_: str, title: str, **said: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "stage": "referred",
        "title": title,
        "problem": "A van tips rubble at night, twice a week since March.",
        "evidence": "Fourteen reports, references FT-201 to FT-214.",
        "alternatives": "Letters and patrols did not help.",
        "purpose": "To identify the van.",
        "referred_by": "J. Marsh, street cleansing",
        "referred": borough.iso(-40 * DAY_S),
        "mine": False,
        "place": place(60, 60),
        "street": "Mill Lane",
        "criteria": [{"criterion": one, "met": True} for one in CRITERIA],
        "documents": ["authority", "dpia"],
        "decided_by": "S. Grant",
        "decided": borough.iso(-38 * DAY_S),
        "max_days": 84,
        "unit": "",
        "cameras": [],
        "responsible": "K. Osei",
        "mount": "LP 14",
        "signs_up": borough.iso(-36 * DAY_S),
        "deployed": borough.iso(-36 * DAY_S),
        "again": None,
        "recorded_when_down": [],
        "bearing_deg": 90.0,
        "accuracy_m": 6.0,
        "signed_off": borough.iso(-36 * DAY_S + 1500),
        "signed_off_by": "K. Osei",
        "needed": True,
        "review": borough.iso(9 * DAY_S),
        "review_days": 28,
        "until": borough.iso(48 * DAY_S),
        "lapsed": None,
        "removed": None,
        "signs_down": None,
        "evaluated": None,
        "photos": [],
        "pictures": [],
        "alarms": [],
        "unseen": [],
        "valid": False,
        "lines": 12,
    } | said


def deployments(borough: FakeBorough) -> list[dict[str, Any]]:
    """Return them, the newest first."""
    nothing = dict.fromkeys(
        ("decided", "max_days", "signs_up", "deployed", "signed_off", "review", "review_days", "until")
    )
    undecided = {
        "decided_by": "",
        "referred": borough.iso(-9 * DAY_S),
        "documents": ["dpia"],
        "criteria": [{"criterion": one, "met": met} for one, met in zip(CRITERIA, (True, False, None), strict=True)],
        "responsible": "",
        "mount": "",
    }
    stands = {"stage": "deployed", "valid": True}
    never = dict.fromkeys(("deployed", "signed_off", "review", "review_days", "until")) | {"signed_off_by": ""}
    withdrawn = _one(
        borough,
        "d5",
        "Dumped scooters",
        stage="withdrawn",
        street="Lock Lane",
        unit="D021",
        problem="Scooters are left on the towpath. " * 40,
        **never,
    )
    return [
        *([withdrawn] if borough.face == "deployments-withdrawn" else []),
        _one(borough, "d4", "Moped thefts by the station", **nothing, **undecided, street="Station Road"),
        _one(
            borough,
            "d3",
            "Street drinking by the canal",
            stage="planned",
            unit="D022",
            place=place(-60, 140),
            street="Canal Side",
            **nothing | {"max_days": 42, "decided": borough.iso(-2 * DAY_S)},
        ),
        _one(
            borough,
            "d2",
            "Fly-tipping in Mill Lane",
            unit="D017",
            cameras=[borough.cameras[3]["id"]],
            place=borough.cameras[3]["place"],
            alarms=["left"],
            unseen=[{"kind": "left", "count": 1, "since": borough.iso(-75), "line": 11, "told": None}],
            photos=[{"sha256": digest, "kind": kind} for digest, (kind, _) in _PHOTOS.items()],
            pictures=_pictures(borough),
            **stands,
        ),
        _one(
            borough,
            "d1",
            "Cycle thefts at the market",
            unit="D009",
            cameras=[borough.cameras[0]["id"]],
            place=borough.cameras[0]["place"],
            street="High Street",
            **stands | {"review": borough.iso(-3 * DAY_S)},
        ),
    ]


def _pictures(borough: FakeBorough) -> list[dict[str, Any]]:
    """Return one that may be opened, one of a camera that one may not see stills of, and one that is deleted."""
    deleted, shut, seen = (
        {"sha256": digest, "camera": borough.cameras[3]["id"], "may_open": True, "deleted": None}
        for digest in _PICTURES
    )
    return [
        deleted | {"at": borough.iso(-33 * DAY_S), "deleted": borough.iso(-2 * DAY_S)},
        shut | {"at": borough.iso(-9 * DAY_S), "may_open": False},
        seen | {"at": borough.iso(-70)},
    ]


def _log(borough: FakeBorough) -> list[dict[str, Any]]:
    found: dict[str, Any] = {"place": None, "off_m": 4.0, "remarks": []}
    said: list[tuple[float, str, str, dict[str, Any]]] = [
        (-40 * DAY_S, "referred", "J. Marsh", {"title": "Fly-tipping in Mill Lane"}),
        *(
            (-39 * DAY_S, "checked", "J. Marsh", {"criterion": one, "met": True, "found": "See FT-201 to FT-214."})
            for one in CRITERIA
        ),
        *(
            (
                -39 * DAY_S,
                "document",
                "J. Marsh",
                {"kind": kind, "title": title, "reference": reference, "sha256": "ab" * 32},
            )
            for kind, title, reference in (
                ("dpia", "Mobile cameras", "DPIA-7"),
                ("authority", "Head of community safety", "AUT-31"),
            )
        ),
        (-38 * DAY_S, "granted", "S. Grant", {"reason": "Serious, lasting, and nothing else helped.", "max_days": 84}),
        (
            -37 * DAY_S,
            "planned",
            "K. Osei",
            {"unit": "D017", "responsible": "K. Osei", "mount": "LP 14", "review_days": 28},
        ),
        *(
            (
                -36 * DAY_S,
                "photo",
                "K. Osei",
                {"kind": kind, "sha256": digest, "taken": borough.iso(-36 * DAY_S), **found},
            )
            for digest, (kind, _) in _PHOTOS.items()
        ),
        (
            -36 * DAY_S + 1500,
            "signed-off",
            "K. Osei",
            {
                "unit": "D017",
                "found": "scanned",
                "live_ns": borough.clock.wall_ns() - round((36 * DAY_S - 1400) * 1e9),
                "ticks": ["unit", "signs", "place", "photo", "live", "bounds", "presets", "fast"],
            },
        ),
        (-75, "alarm", "Sightline", {"kind": "left", "by": 214.0, "place": None}),
        (
            -70,
            "picture",
            "Sightline",
            {"kind": "left", "sha256": f"{5:064x}", "size_bytes": 1, "camera": "", "recorded_ns": None},
        ),
    ]
    # The team had no network in the street: what they did came half an hour later.
    late_s = {"photo": 1800.0, "signed-off": 1800.0}
    return [
        {
            "n": n,
            "at": borough.iso(done + late_s.get(step, 0.0)),
            "done": borough.iso(done),
            "clock_offset_s": 0.2 if step in late_s else None,
            "doubt": "",
            "step": step,
            "by": by,
            "said": what,
            "digest": f"{n * 7919:064x}",
        }
        for n, (done, step, by, what) in enumerate(said, 1)
    ]


async def _list(request: Request) -> Response:
    stage = request.query_params.get("stage")
    return JSONResponse([one for one in deployments(borough_of(request)) if stage in (None, one["stage"])])


async def _due(request: Request) -> Response:
    borough = borough_of(request)
    *withdrawn, referred, _, left, overdue = deployments(borough)
    return JSONResponse(
        [
            *(
                {"deployment": one, "why": "signs", "by": borough.iso(-DAY_S), "overdue": True, "yours": False}
                for one in withdrawn
            ),
            {"deployment": left, "why": "alarm", "by": borough.iso(-75), "overdue": True, "yours": False},
            {"deployment": overdue, "why": "review", "by": overdue["review"], "overdue": True, "yours": True},
            {"deployment": referred, "why": "decision", "by": borough.iso(-2 * DAY_S), "overdue": True, "yours": False},
            {"deployment": left, "why": "review", "by": borough.iso(5 * DAY_S), "overdue": False, "yours": False},
        ]
    )


async def _own_due(request: Request) -> Response:
    borough = borough_of(request)
    overdue = deployments(borough)[-1]
    told = {name: overdue[name] for name in ("title", "street", "unit")}
    return JSONResponse([told | {"deployment": "d1", "why": "review", "by": overdue["review"], "overdue": True}])


async def _get(request: Request) -> Response:
    found = [one for one in deployments(borough_of(request)) if one["id"] == request.path_params["id"]]
    return JSONResponse(found[0])


async def _photo(request: Request) -> Response:
    return Response(photo(shade=_PHOTOS[request.path_params["sha256"]][1]), media_type="image/jpeg")


async def _picture(request: Request) -> Response:
    return Response(photo(shade=_PICTURES[request.path_params["sha256"]]), media_type="image/jpeg")


async def _units(request: Request) -> Response:
    cameras = borough_of(request).cameras
    known: list[tuple[str, list[str], str | None]] = [
        ("D009", [cameras[0]["id"]], "d1"),
        ("D017", [cameras[3]["id"]], "d2"),
        ("D022", [], None),
    ]
    return JSONResponse([{"unit": unit, "cameras": ids, "deployment": of} for unit, ids, of in known])


async def _reported(request: Request) -> Response:
    borough = borough_of(request)
    values = place(150, -30) | {"accuracy_m": 6.0}
    states = [{"kind": "state/position", "time": borough.iso(-20), "unit_time": borough.iso(-20), "values": values}]
    return JSONResponse({"units": [{"label": "D017", "states": states}], "refusals": []})


async def _footage(request: Request) -> Response:
    borough = borough_of(request)
    one, other = borough.cameras[3], borough.cameras[1]
    stays = ((one, "Mill Lane", borough.iso(-7200), borough.iso(-1800)), (other, "High Street", None, None))
    return JSONResponse(
        {
            "found": [
                {
                    "camera": camera["id"],
                    "number": camera["number"],
                    "name": camera["name"],
                    "stood": {
                        "start": start or borough.iso(-90 * DAY_S),
                        "end": end,
                        "street": street,
                        "place": camera["place"],
                        "bearing_deg": 90.0,
                        "deployment": None,
                    },
                    "start": borough.iso(-3600),
                    "end": end or borough.iso(),
                    "recorded": [
                        {"start": borough.iso(-3600), "end": borough.iso(-2900)},
                        {"start": borough.iso(-2600), "end": end or borough.iso()},
                    ],
                }
                for camera, street, start, end in stays
            ],
            "left_off": False,
        }
    )


def routes(api: str) -> list[Route]:
    """Return the routes below ``api``."""
    one = api + "/deployments/{id}"

    async def log(request: Request) -> Response:
        return JSONResponse(_log(borough_of(request)))

    async def rules(_request: Request) -> Response:
        return JSONResponse(RULES)

    return [
        Route(f"{api}/deployments", _list),
        Route(f"{api}/deployments/due", _due),
        Route(f"{api}/deployments/rules", rules),
        Route(f"{api}/session/due", _own_due),
        Route(f"{api}/deployments/units", _units),
        Route(one, _get),
        Route(f"{one}/log", log),
        Route(one + "/photos/{sha256}", _photo),
        Route(one + "/pictures/{sha256}", _picture),
        Route(f"{api}/units", _reported),
        Route(f"{api}/footage", _footage),
    ]
