"""What the events socket tells of units: what they say, and what is raised by it; to who may see a unit's camera.

What units say is told once a second with the newest of each kind, however much it was: a slow reader has no queue.
"""

import json
from typing import Any

from gateway.access.identity import Identity, SessionState
from gateway.access.permissions import Permission
from gateway.api.hands import answers_for
from gateway.api.rooms import Rooms
from gateway.api.times import iso, iso_or_none
from gateway.api.units import cameras_of, sees, state, told_to
from gateway.deployments.geofence import OVER, Kind
from gateway.deployments.service import Taken
from gateway.units import Change, LinkChanged, Said, UnitChanged
from gateway.units.errors import UnknownUnitError
from gateway.units.order import heard_ns

_TOLD = {
    "alarm": "unit-alarm",
    "picture": "unit-picture",
    "no-picture": "unit-no-picture",
    "lapsed": "unit-lapsed",
}


class UnitNews:
    """What one reader has not been told yet of units."""

    def __init__(self, the: Rooms, who: Identity) -> None:
        self._the = the
        self._who = who
        self._said: dict[str, set[str]] = {}
        """Labels of units of which something is new, with the kinds that are."""

    def turn(self, who: Identity) -> None:
        """Go on for the reader as they are now: before a console that is not open nothing is told of units."""
        self._who = who
        if self._shut:
            self._said.clear()

    @property
    def _shut(self) -> bool:
        return self._who.state is not SessionState.OPEN

    def heard(self, change: Change) -> None:
        """Take in what a unit says, or what has become of it."""
        match change:
            case Said(label, now):
                self._said.setdefault(label, set()).add(now.name)
            case LinkChanged(label, _) | UnitChanged(label):
                self._said.setdefault(label, set())

    def message(self, taken: Taken) -> dict[str, Any] | None:
        """Return what the reader is told of a step that nobody took; ``None`` where that is nothing."""
        told = _TOLD.get(taken.entry.step)
        cameras = [
            one.id
            for one in self._the.fleet.cameras()
            if one.description.identity.urn == taken.deployment.urn and self._views(one.id)
        ]
        if told is None or not cameras or self._shut:
            return None
        said, deployment = json.loads(taken.entry.said), taken.deployment
        message: dict[str, Any] = {
            "t": told,
            "deployment": deployment.id,
            "title": deployment.title,
            "line": taken.entry.n,
            "unit": deployment.unit,
            "cameras": cameras,
            "street": deployment.street,
            "at": iso(taken.entry.at_ns),
        }
        message |= {name: said[name] for name in ("kind", "by", "sha256", "camera", "why") if name in said}
        if told == "unit-alarm":
            ended, place = OVER.get(Kind(said["kind"])), said["place"]
            message |= {"ends": ended, "alarms": sorted(deployment.alarms), "place": place and _place(place)}
            message |= {"happened": iso_or_none(said["happened_ns"]), "down": said["down"]}
        elif told == "unit-picture":
            message["recorded"] = iso_or_none(said["recorded_ns"])
        return message

    def step(self, taken: Taken) -> dict[str, Any] | None:
        """Return what a reader who deploys is told of any step, so that lists are read anew; ``None``: nothing."""
        if self._shut or self._the.decider.rights(self._who).rule(Permission.DEPLOY) is None:
            return None
        return {"t": "deployment", "deployment": taken.deployment.id, "step": taken.entry.step}

    def reminder(self, taken: Taken) -> dict[str, Any] | None:
        """Return what is told of something that became due: to who deploys, and to who answers for it."""
        deployment = taken.deployment
        yours = answers_for(self._who, deployment)
        deploys = self._the.decider.rights(self._who).rule(Permission.DEPLOY) is not None
        if taken.entry.step != "due" or self._shut or not (deploys or yours):
            return None
        said = json.loads(taken.entry.said)
        return {
            "t": "deployment-due",
            "deployment": deployment.id,
            "title": deployment.title,
            "street": deployment.street,
            "unit": deployment.unit,
            "why": said["why"],
            "by": iso(said["by_ns"]),
            "overdue": said["overdue"],
            "yours": yours,
        }

    def due(self) -> list[dict[str, Any]]:
        """Return what is new of the units that the reader may see, and have it told."""
        said, self._said = self._said, {}
        if self._shut or self._the.units is None:
            return []
        register, news = self._the.units.register, []
        for label, kinds in said.items():
            try:
                row = register.unit(label)
            except UnknownUnitError:
                continue
            if not sees(self._the, self._who, row):
                continue
            states = register.states(label)
            cameras = cameras_of(self._the, self._who, row)
            told_names = [one for one in sorted(kinds & states.keys()) if told_to(self._the, self._who, one)]
            told = {
                "label": label,
                "link": register.link(label).value,
                "heard": iso_or_none(heard_ns(row.heard_ns, states.values())),
                "cameras": cameras,
                "deployment": self._stands(cameras),
                "states": [state(states[name]).model_dump() for name in told_names],
            }
            news.append(told)
        return news

    def _stands(self, cameras: list[str]) -> str | None:
        """Return the deployment by which cameras stand somewhere."""
        urns = (self._the.fleet.camera(one).description.identity.urn for one in cameras)
        standing = (self._the.deployments.standing(urn) for urn in urns)
        return next((one.id for one in standing if one is not None), None)

    def _views(self, camera: str) -> bool:
        seen = self._the.decider.rights(self._who).cameras(Permission.VIEW_LIVE)
        return seen is None or camera in seen


def _place(place: dict[str, float]) -> dict[str, float]:
    return {"latitude": place["latitude_deg"], "longitude": place["longitude_deg"]}
