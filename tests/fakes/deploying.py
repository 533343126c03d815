"""What a test says about a deployment, and a deployment brought as far as it needs."""

from typing import Any

import httpx

from kernel.clock import utc
from tests.fakes.desk import Desk
from tests.fakes.photos import photo

PLACE = {"latitude": 51.5, "longitude": -0.1, "height_m": 4.0}
REFERRAL: dict[str, Any] = {
    "title": "Fly-tipping in Mill Lane",
    "problem": "A van tips rubble at night, twice a week since March.",
    "evidence": "Fourteen reports, references FT-201 to FT-214.",
    "alternatives": "Letters and patrols did not help.",
    "purpose": "Identify the van.",
    "referred_by": "J. Marsh, street cleansing",
    "place": PLACE,
    "street": "Mill Lane",
}
DOCUMENT: dict[str, Any] = {"title": "Mobile cameras", "reference": "DPIA-7", "sha256": "ab" * 32}
DAY_S = 86_400


class Deploying:
    """Takes steps of one deployment. ``team`` refers and deploys, ``chief`` decides."""

    def __init__(
        self, desk: Desk, team: httpx.AsyncClient, chief: httpx.AsyncClient, camera: str, unit: str = "D017"
    ) -> None:
        self.desk = desk
        self.team = team
        self.chief = chief
        self.camera = camera
        self.unit = unit
        self.path = ""
        self._shade = 0

    @classmethod
    async def at(cls, desk: Desk, *, unit: str = "D017", **facts: object) -> "Deploying":
        """Return one at a desk that has people, and a camera that is a unit's."""
        camera = await desk.enrol(**facts, unit=unit)
        return cls(desk, await desk.person("operator"), await desk.person("supervisor"), camera, unit)

    async def refer(self, **said: object) -> dict[str, Any]:
        """Open a deployment."""
        answer = await self.team.post("/api/v1/deployments", json={**REFERRAL, **said})
        assert answer.status_code == 201, answer.text
        self.path = f"/api/v1/deployments/{answer.json()['id']}"
        return self._read(answer)

    async def step(self, what: str, *, by: httpx.AsyncClient | None = None, **said: object) -> dict[str, Any]:
        """Take a step that is taken."""
        answer = await self.ask(what, by=by, **said)
        assert answer.status_code == 201, answer.text
        return self._read(answer)

    async def ask(self, what: str, *, by: httpx.AsyncClient | None = None, **said: object) -> httpx.Response:
        """Ask for a step. Where nothing else is said, it is the planned unit that was put up."""
        if what == "installation":
            said = {"unit": self.unit, **said}
        return await (by or self.team).post(f"{self.path}/{what}", json=said)

    async def photo(
        self, kind: str, body: bytes | None = None, media_type: str = "image/jpeg", **said: str
    ) -> httpx.Response:
        """Send a photo; without ``body`` one that no other step has sent."""
        self._shade += 1
        return await self.team.post(
            f"{self.path}/photos",
            params={"kind": kind, **said},
            content=body if body is not None else photo(shade=self._shade),
            headers={"Content-Type": media_type},
        )

    async def ready(self, **said: object) -> None:
        """Refer, check every criterion, and link what must be linked."""
        referred = await self.refer(**said)
        for one in referred["criteria"]:
            await self.step("checks", criterion=one["criterion"], met=True, found="See the reports.")
        for kind in ("dpia", "authority"):
            await self.step("documents", kind=kind, **DOCUMENT)

    async def planned(self, *, max_days: int = 10, signs: bool = True, **said: object) -> None:
        """Bring it to where its signs are up, or only to where they are to be put up."""
        await self.ready(**said)
        await self.step("decision", by=self.chief, granted=True, reason="Serious and lasting.", max_days=max_days)
        await self.step("plan", camera=self.camera, responsible="K. Osei", mount="LP 14", review_days=7)
        if not signs:
            return
        assert (await self.photo("sign-up")).status_code == 201
        await self.step("signs-up", text="On LP 13 and LP 15.")

    async def deployed(self, *, max_days: int = 10, place: dict[str, float] | None = None) -> dict[str, Any]:
        """Bring it to where its camera stands."""
        await self.planned(max_days=max_days, place=place or PLACE)
        return await self.step("installation", place=place or PLACE, bearing_deg=90.0)

    async def signed_off(self, **said: Any) -> httpx.Response:
        """Ask for the unit to be signed off, with every tick, and seen live now."""
        live = utc(self.desk.gateway.rooms.clock.wall_ns()).isoformat()
        ticks = ["unit", "signs", "place", "photo", "live", "bounds", "presets", "fast"]
        wish: dict[str, Any] = {"unit": self.unit, "found": "scanned", "live": live, "ticks": ticks}
        return await self.ask("sign-off", **{**wish, **said})

    @staticmethod
    def _read(answer: httpx.Response) -> dict[str, Any]:
        known: dict[str, Any] = answer.json()
        return known
