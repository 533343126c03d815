"""Which camera is a unit's: people say so, on the unit or with the camera's mark as deployable. Never the unit alone.

A unit says URN and serial of its camera. Were that believed, whoever holds one unit's certificate could have any
camera's pictures come from where they like.
"""

from gateway.deployments.service import Deployments
from gateway.fleet.cameras import Camera
from gateway.fleet.service import Fleet
from gateway.units import Register


class Belonging:
    """One for all units."""

    def __init__(self, register: Register, fleet: Fleet, deployments: Deployments) -> None:
        self._register = register
        self._fleet = fleet
        self._deployments = deployments

    def cameras(self, label: str) -> list[Camera]:
        """Return the cameras of a unit's device, by number."""
        device_id, cameras = self._register.unit(label).device_id, self._fleet.cameras()
        # A device that is enrolled no more is nobody's: enrolled anew it is another, known by its mark.
        device_id = device_id if any(one.device_id == device_id for one in cameras) else None
        return [one for one in cameras if self._is_its(label, device_id, one)]

    def of_device(self, device_id: str | None) -> list[Camera]:
        """Return the cameras of a device, by number; none of no device, or of one that is enrolled no more."""
        return [one for one in self._fleet.cameras() if one.device_id == device_id]

    def of_all(self) -> dict[str, list[Camera]]:
        """Return the cameras of every unit that has some, by label: one look at each camera, however many units."""
        units, cameras = self._register.units(), self._fleet.cameras()
        devices = {one.device_id for one in cameras}
        by_device = {row.device_id: row.label for row in units if row.device_id in devices}
        unmatched = {row.label.lower(): row.label for row in units if row.device_id not in devices}
        found: dict[str, list[Camera]] = {}
        for one in cameras:
            label = by_device.get(one.device_id)
            if label is not None:
                found.setdefault(label, []).append(one)
            mark = self._deployments.deployable(one.description.identity.urn)
            marked = unmatched.get(mark.unit.lower()) if mark is not None else None
            if marked is not None:
                found.setdefault(marked, []).append(one)
        return found

    def said_so(self, label: str, urn: str) -> list[Camera]:
        """Return those cameras of a device that a unit says is its own, where people say the same."""
        return [one for one in self.cameras(label) if one.description.identity.urn == urn]

    def strangers(self, urn: str) -> bool:
        """Return whether a device of that URN is enrolled at all."""
        return any(one.description.identity.urn == urn for one in self._fleet.cameras())

    def is_anothers(self, label: str, urn: str) -> bool:
        """Return whether people have given the camera of a URN to another unit than the one of that label."""
        mark = self._deployments.deployable(urn)
        if mark is not None and mark.unit and mark.unit.lower() != label.lower():
            return True
        devices = {one.device_id for one in self._fleet.cameras() if one.description.identity.urn == urn}
        owners = (self._register.by_device(device_id) for device_id in devices)
        return any(owner is not None and owner.label != label for owner in owners)

    def _is_its(self, label: str, device_id: str | None, camera: Camera) -> bool:
        if device_id is not None:
            return camera.device_id == device_id
        mark = self._deployments.deployable(camera.description.identity.urn)
        return mark is not None and mark.unit.lower() == label.lower()
