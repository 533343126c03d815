"""What the API tells the control room's console of shares: what is usual, what is its own, what it reaches no more."""

from tests.fakes.descriptions import description
from tests.fakes.desk import Desk
from tests.fakes.outside import heard, officer, share


async def test_two_keys_may_share_whatever_is_selected(desk: Desk) -> None:
    """It begins with the camera that is named; whether the stick may be asked for is said too."""
    pc, camera = await officer(desk), await desk.enrol()
    wish = {"camera": camera, "organisation": pc.organisation, "follow": True, "may_ask_for_stick": False}
    made = (await desk.admin.post("/api/v1/shares/quick", json=wish)).json()
    assert (made["follow"], made["may_ask_for_stick"], made["cameras"]) == (True, False, [camera])
    me = (await desk.admin.get("/api/v1/session")).json()["user"]["id"]
    assert made["made_by_id"] == me


async def test_what_is_usual_is_told(desk: Desk) -> None:
    """With whom, how long, how many: as the settings have it, the test camera by its identifier."""
    pc, camera = await officer(desk), await desk.enrol(number=7)
    unset = (await desk.admin.get("/api/v1/shares/usual")).json()
    assert (unset["organisation"], unset["test_camera"], unset["minutes"]) == (None, None, 60)
    settings = desk.gateway.rooms.settings
    told = settings.sharing.model_copy(update={"organisation": "thames valley police", "test_camera": 7, "minutes": 30})
    object.__setattr__(desk.gateway.rooms, "settings", settings.model_copy(update={"sharing": told}))
    usual = (await desk.admin.get("/api/v1/shares/usual")).json()
    assert (usual["organisation"], usual["test_camera"], usual["minutes"]) == (pc.organisation, camera, 30)


async def test_who_has_no_camera_in_a_share_any_more_hears_the_last_of_it(desk: Desk) -> None:
    """Taken out of it, their camera is not said to be shared still; of what the others see they hear nothing."""
    desk.host.found = description("urn:uuid:1")
    theirs, pc = await desk.enrol(), await officer(desk)
    desk.host.found = description("urn:uuid:2")
    other = await desk.enrol(number=2, address="192.0.2.2")
    group = (await desk.admin.post("/api/v1/groups", json={"name": "one", "cameras": [theirs]})).json()["id"]
    member = await desk.person("member", "mia")
    user = next(one["id"] for one in (await desk.admin.get("/api/v1/users")).json() if one["username"] == "mia")
    await desk.admin.post("/api/v1/grants", json={"role": "operator", "user": user, "group": group})
    identity = await share(desk, pc, theirs, other)
    async with desk.socket(member, "/api/v1/events") as socket:
        await heard(socket, "time")
        await desk.admin.patch(f"/api/v1/shares/{identity}", json={"cameras": [other]})
        told = await heard(socket, "share")
    assert (told["what"], told["share"]["id"], told["share"]["cameras"]) == ("left", identity, [theirs, other])
