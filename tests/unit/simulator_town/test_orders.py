"""Orders to a running borough, and what it says of itself."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from rich.console import Console

from drivers.simulator import describe
from drivers.simulator.borough import Borough
from drivers.simulator.device import DeviceEvent
from drivers.simulator.errors import NoSuchCameraError
from drivers.simulator.feed import Camera
from drivers.simulator.happenings import DIGITAL_INPUT, TAMPER
from drivers.simulator.head import Head
from drivers.simulator.orders import obey
from drivers.simulator.power import Power, Voice
from drivers.simulator.settings import BoroughSettings
from drivers.simulator.town.town import Town
from drivers.simulator.units.radio import Air
from kernel.head import Velocity
from tests.fakes.clock import ManualClock
from tests.fakes.testcard import TestCard


@pytest.fixture
def borough(town: Town, clock: ManualClock, pool: ThreadPoolExecutor) -> Borough:
    """Return a borough of two cameras that is switched off: nothing listens."""
    # White-box: the borough without its ports.
    from drivers.simulator.borough import _deployable, _made  # noqa: PLC0415

    settings = BoroughSettings(cameras=2, units=1)
    sites = list(town.sites(3))
    devices = [_made(settings, town, number, site, clock) for number, site in enumerate(sites, start=1)]
    powers = {device.number: Power(device, Voice()) for device in devices}
    unit = _deployable(settings, town, Air(town), devices[2], sites[2], powers[3])
    borough = Borough(settings, town, devices, sites, [unit])
    borough.cameras = {device.number: Camera(device, TestCard(), pool) for device in devices}
    return borough


def _obey(borough: Borough, **order: object) -> dict[str, object] | None:
    return obey(borough, json.dumps(order))


def test_faults(borough: Borough) -> None:
    """A knob is turned on the camera that is named and on no other."""
    assert _obey(borough, number=2, fault="freeze_picture=on") is None
    assert [device.faults.freeze_picture for device in borough.devices] == [False, True, False]
    assert _obey(borough, number=2, fault="freeze_picture=off") is None
    assert not borough.device(2).faults.freeze_picture


async def test_truth(borough: Borough, clock: ManualClock) -> None:
    """The truth of a head is where it points, in degrees and generic units, while it moves too."""
    at_home = _obey(borough, query="truth", number=1)
    assert at_home is not None
    aim = at_home["aim"]
    assert isinstance(aim, dict)
    site = borough.sites[0]
    assert (aim["pan_deg"], aim["tilt_deg"], aim["zoom"], aim["moving"]) == (0.0, site.tilt_deg, 0.0, False)
    assert aim["bearing_deg"] == site.bearing_deg
    head = borough.device(1).head
    assert isinstance(head, Head)
    head.drive(Velocity(pan=1.0), timeout_s=None)
    await clock.turn(1.0)
    turned = _obey(borough, query="truth", number=1)
    assert turned is not None
    assert isinstance(turned["aim"], dict)
    assert turned["aim"]["moving"]
    assert turned["aim"]["pan_deg"] > 50.0


def test_home_is_where_it_looks(borough: Borough) -> None:
    """A camera starts at its home position."""
    device = borough.device(1)
    assert device.head is not None
    position = device.head.position()
    assert abs(position.tilt - device.home.tilt) < 1e-9
    assert abs(position.pan - device.home.pan) < 1e-9


def test_van(borough: Borough) -> None:
    """The van is told to flee and to return, and asked where it is."""
    assert _obey(borough, van="flee", route="east") is None
    answer = _obey(borough, query="van")
    assert answer is not None
    assert answer["fleeing"] == "east"
    assert _obey(borough, van="return") is None
    assert borough.van.fleeing is None


def test_input_and_cover(borough: Borough) -> None:
    """A contact and a bag over the lens are told as events, each change once."""
    heard: list[DeviceEvent] = []
    borough.device(1).listeners.append(heard.append)
    for _ in range(2):
        assert _obey(borough, number=1, input="input-1", on=True) is None
        assert _obey(borough, number=1, cover=True) is None
    assert [event.topic for event in heard] == [DIGITAL_INPUT, TAMPER]
    assert borough.device(1).inputs == {"input-1": True}
    assert borough.cameras[1].covered


def test_reboot(borough: Borough) -> None:
    """An order to reboot is what the camera itself would do."""
    calls: list[int] = []
    borough.device(2).reboot = lambda: calls.append(2)
    assert _obey(borough, number=2, reboot=True) is None
    assert calls == [2]


def test_requests(borough: Borough) -> None:
    """The SOAP requests that arrived can be read; here none did."""
    assert _obey(borough, query="requests", number=1) == {"query": "requests", "number": 1, "requests": []}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nonsense", "Expecting value"),
        ("[1]", "An order is a JSON object"),
        ("{}", "needs its number"),
        ('{"number": "one", "fault": "garbage"}', "needs its number"),
        ('{"number": 1}', "no such order: number"),
        ('{"number": 9, "fault": "garbage"}', "There is no camera 9. They are numbered 1 to 3."),
        ('{"number": 1, "fault": "garbgae"}', "Did you mean garbage?"),
        ('{"number": 1, "input": "input-7"}', "has no input 'input-7'"),
        ('{"van": "fly"}', "can flee or return"),
        ('{"van": "flee", "route": "up"}', "no route 'up'"),
        ('{"query": "weather", "number": 1}', "no query 'weather'"),
        ('{"unit": "D009", "reboot": true}', "There is no unit 'D009'."),
        ('{"unit": "D001", "fault": "stollen"}', "Did you mean stolen?"),
        ('{"unit": "D001", "dance": true}', "a fault, to reboot, where to be deployed, or where it stands"),
        ('{"unit": "D001", "deploy": {"latitude": 51.5}}', "needs latitude, longitude and bearing_deg"),
        ('{"units_broker": {"url": "http://x", "certificates": "/"}}', "no broker that units call"),
    ],
)
def test_refusals(borough: Borough, line: str, words: str) -> None:
    """An order that cannot be obeyed is answered with what is wrong with it."""
    answer = obey(borough, line)
    assert answer is not None
    assert words in answer["error"]


def test_units_are_told(borough: Borough) -> None:
    """A unit is told its faults, to reboot, and where to go; its truth says what came of it."""
    assert _obey(borough, unit="D001", fault="case_open") is None
    assert borough.unit("D001").case_open
    assert _obey(borough, unit="D001", deploy={"latitude": 51.5465, "longitude": -0.0201, "bearing_deg": 450}) is None
    truth = _obey(borough, query="unit", unit="D001")
    assert truth is not None
    assert (truth["carried"], truth["power"], truth["urn"]) == (True, "on", borough.device(3).urn)
    assert _obey(borough, unit="D001", stand={"latitude": 51.5465, "longitude": -0.0201, "bearing_deg": 90}) is None
    truth = _obey(borough, query="unit", unit="D001")
    assert truth is not None
    assert not truth["carried"]
    assert (truth["latitude"], truth["longitude"]) == (pytest.approx(51.5465), pytest.approx(-0.0201))
    assert _obey(borough, unit="D001", reboot=True) is None
    truth = _obey(borough, query="unit", unit="D001")
    assert truth is not None
    assert truth["power"] == "closing"
    assert borough.street(3) == borough.unit("D001").post.street


def test_no_such_camera(borough: Borough) -> None:
    """A number that no camera has is an error that names those there are."""
    with pytest.raises(NoSuchCameraError, match="numbered 1 to 3"):
        borough.street(0)


def test_table(borough: Borough) -> None:
    """The table shows every camera with addresses, user and password."""
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(describe.table(borough))
    shown = console.export_text()
    for words in (
        "Market Square",
        "/onvif/device_service",
        "rtsp://127.0.0.1:0/main",
        "H.264 1280x720",
        "simulated",
        "D001",
        "this moment",
    ):
        assert words in shown
    console.file.close()


def test_facts(borough: Borough) -> None:
    """What other programs read holds every camera's addresses, place and credentials, and the map."""
    facts = describe.facts(borough)
    assert [camera["number"] for camera in facts["cameras"]] == [1, 2]
    first = facts["cameras"][0]
    assert first["street"] == "High Street"
    assert first["sub_url"].endswith("/sub")
    (unit,) = facts["units"]
    assert (unit["label"], unit["number"], unit["name"]) == ("D001", 3, "D001")
    assert unit["host"].startswith("127.64.0.")
    assert facts["ground"]["features"]
    json.dumps(facts)
