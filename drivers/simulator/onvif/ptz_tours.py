"""Preset tours (ONVIF PTZ service specification, section 5.6)."""

from itertools import count
from xml.etree import ElementTree as ET

from drivers.simulator.device import SimulatedDevice
from drivers.simulator.onvif import values
from drivers.simulator.onvif.capabilities import SPOTS_MAX, TOURS_MAX
from drivers.simulator.onvif.markup import Element, el, find_all, text_at
from drivers.simulator.onvif.ptz_nodes import PAN_TILT_SPEED, check_profile, speed_of
from drivers.simulator.onvif.soap import Fault, Request, Service, invalid, operation
from drivers.simulator.onvif.touring import Touring
from drivers.simulator.tours import Spot, Tour

_STAY_S = 5.0
_STAY_RANGE_S = (0.0, 3600.0)


def _spot_element(name: str, spot: Spot) -> Element:
    where = el("tt:PresetToken", spot.preset) if spot.preset else el("tt:Home", True)
    return el(
        name,
        el("tt:PresetDetail", where),
        el("tt:Speed", el("tt:PanTilt", x=spot.speed, y=spot.speed, space=PAN_TILT_SPEED)),
        el("tt:StayTime", values.duration(spot.stay_s)),
    )


class PtzTourService(Service):
    """Tours: create, modify, operate, remove."""

    prefix = "tptz"

    def __init__(self, device: SimulatedDevice, touring: Touring) -> None:
        super().__init__(device)
        self._touring = touring

    def _tour(self, request: Request, token: str) -> Tour:
        check_profile(request)
        if token not in self.device.tours:
            raise invalid(f"There is no tour {token}.", "NoToken")
        return self.device.tours[token]

    @staticmethod
    def _element(tour: Tour) -> Element:
        touring = tour.state != "Idle" and tour.spots
        return el(
            "tptz:PresetTour",
            el("tt:Name", tour.name),
            el(
                "tt:Status",
                el("tt:State", tour.state),
                _spot_element("tt:CurrentTourSpot", tour.spots[tour.at]) if touring else None,
            ),
            el("tt:AutoStart", tour.auto_start),
            el(
                "tt:StartingCondition",
                el("tt:RecurringTime", tour.rounds) if tour.rounds else None,
                el("tt:Direction", "Backward" if tour.backward else "Forward"),
            ),
            [_spot_element("tt:TourSpot", spot) for spot in tour.spots],
            token=tour.token,
        )

    @operation("GetPresetTours")
    def get_preset_tours(self, request: Request) -> list[Element]:
        """Return all."""
        check_profile(request)
        return [self._element(tour) for tour in self.device.tours.values()]

    @operation("GetPresetTour")
    def get_preset_tour(self, request: Request) -> Element:
        """Return one."""
        return self._element(self._tour(request, request.need("PresetTourToken")))

    @operation("GetPresetTourOptions")
    def get_preset_tour_options(self, request: Request) -> Element:
        """Return what a tour can be made of."""
        check_profile(request)
        if request.text("PresetTourToken"):
            self._tour(request, request.text("PresetTourToken"))
        low, high = _STAY_RANGE_S
        return el(
            "tptz:Options",
            el("tt:AutoStart", True),
            el(
                "tt:StartingCondition",
                el("tt:RecurringTime", el("tt:Min", 1), el("tt:Max", 1000)),
                [el("tt:Direction", way) for way in ("Forward", "Backward")],
            ),
            el(
                "tt:TourSpot",
                el(
                    "tt:PresetDetail",
                    [el("tt:PresetToken", token) for token in self.device.presets],
                    el("tt:Home", True),
                ),
                el("tt:StayTime", el("tt:Min", values.duration(low)), el("tt:Max", values.duration(high))),
            ),
        )

    @operation("CreatePresetTour")
    def create_preset_tour(self, request: Request) -> Element:
        """Make an empty one."""
        check_profile(request)
        tours = self.device.tours
        if len(tours) >= TOURS_MAX:
            raise Fault("Action", "TooManyPresetTours", reason="No tour can be added.", receiver=True)
        token = next(free for free in (f"tour-{number}" for number in count(1)) if free not in tours)
        tours[token] = Tour(token=token, name=token)
        return el("tptz:PresetTourToken", token)

    @operation("ModifyPresetTour")
    def modify_preset_tour(self, request: Request) -> None:
        """Set everything but its state; a tour that runs is ended."""
        given = request.find("PresetTour")
        tour = self._tour(request, "" if given is None else given.get("token", ""))
        assert given is not None
        spots = tuple(self._spot(request, spot) for spot in find_all(given, "TourSpot"))
        if len(spots) > SPOTS_MAX:
            raise invalid("The tour has too many spots.", "InvalidPresetTour")
        self._touring.stop(tour)
        tour.spots = spots
        tour.name = request.text("PresetTour/Name", tour.name)
        tour.auto_start = request.flag("PresetTour/AutoStart", default=False)
        tour.rounds = int(request.number("PresetTour/StartingCondition/RecurringTime", 0))
        tour.backward = request.text("PresetTour/StartingCondition/Direction") == "Backward"
        tour.at = 0

    def _spot(self, request: Request, given: ET.Element) -> Spot:
        preset = text_at(given, "PresetDetail/PresetToken") or ""
        home = text_at(given, "PresetDetail/Home") in {"true", "1"}
        if (not preset and not home) or (preset and preset not in self.device.presets):
            raise invalid("A spot is neither home nor a preset that is there.", "InvalidPresetTour")
        stay = text_at(given, "StayTime")
        try:
            stay_s = values.duration_s(stay, request.faults) if stay else _STAY_S
        except ValueError as error:
            raise invalid(f"A spot cannot be read: {error}.", "InvalidPresetTour") from None
        if not _STAY_RANGE_S[0] <= stay_s <= _STAY_RANGE_S[1]:
            raise invalid("A spot's stay is outside what the options allow.", "InvalidPresetTour")
        return Spot("" if home else preset, speed_of(given), stay_s)

    @operation("OperatePresetTour")
    def operate_preset_tour(self, request: Request) -> None:
        """Start, stop or pause."""
        tour = self._tour(request, request.need("PresetTourToken"))
        asked = request.need("Operation")
        if asked == "Start":
            if not tour.spots:
                raise Fault("Action", "ActivationFailed", reason="The tour has no spots.", receiver=True)
            self._touring.start(tour)
        elif asked == "Stop":
            self._touring.stop(tour)
        elif asked == "Pause":
            self._touring.pause(tour)
        else:
            raise invalid(f"A tour cannot {asked}.")

    @operation("RemovePresetTour")
    def remove_preset_tour(self, request: Request) -> None:
        """Forget one; if it runs it ends."""
        tour = self._tour(request, request.need("PresetTourToken"))
        self._touring.stop(tour)
        del self.device.tours[tour.token]
