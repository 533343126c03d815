"""Photos of deployments over the API: what is taken, what is kept, and how much of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from config.deployments import DeploymentSettings
from gateway.deployments.geofence import Kind
from gateway.deployments.steps import Picture
from tests.fakes.deploying import Deploying
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.leaping import LeapingClock
from tests.fakes.photos import photo

ROUND = ((0.01, 0.01), (0.01, -0.01), (-0.01, -0.01), (-0.01, 0.01))


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway without cameras."""
    async with open_desk(tmp_path) as desk:
        yield desk


@pytest_asyncio.fixture
async def deploying(desk: Desk) -> Deploying:
    """Return a deployable camera, and people who deploy it."""
    return await Deploying.at(desk)


async def test_a_photo_is_shown_as_it_came_to_who_deploys(deploying: Deploying) -> None:
    """Bytes and kind are those that were sent, nothing is guessed from them, and others see none."""
    await deploying.refer()
    sent = photo(taken="2026:05:01 12:00:00", place=(51.5, -0.1))
    answer = await deploying.photo("unit", sent)
    (known,) = answer.json()["photos"]
    path = f"{deploying.path}/photos/{known['sha256']}"
    shown = await deploying.team.get(path)
    assert (shown.content, shown.headers["content-type"]) == (sent, "image/jpeg")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in shown.headers["content-security-policy"]
    assert (await (await deploying.desk.person("viewer")).get(path)).status_code == 403
    line = (await deploying.team.get(f"{deploying.path}/log")).json()[-1]
    assert line["said"]["place"]["latitude_deg"] == pytest.approx(51.5)
    assert line["said"]["remarks"][0].startswith("it was taken")
    await deploying.refer(title="Another")
    elsewhere = f"{deploying.path}/photos/{known['sha256']}"
    assert (await deploying.team.get(elsewhere)).status_code == 404


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"<script>", "image/jpeg", 422),
        (photo(kind="PNG"), "image/jpeg", 422),
        (photo(), "image/svg+xml", 415),
        (photo() + bytes(400_000), "image/jpeg", 201),
        (photo() + bytes(1_000_000), "image/jpeg", 413),
    ],
)
async def test_a_photo_is_what_it_says_and_not_too_large(
    tmp_path: Path, body: bytes, media_type: str, status: int
) -> None:
    """JPEG or PNG by its own bytes, larger than other bodies may be, and within the site's limit."""
    settings = settings_in(tmp_path).model_copy(update={"deployments": DeploymentSettings(photo_bytes=500_000)})
    async with open_desk(tmp_path, settings=settings) as desk:
        deploying = await Deploying.at(desk)
        await deploying.refer()
        assert (await deploying.photo("unit", body, media_type)).status_code == status


async def test_a_photo_that_is_refused_is_not_kept(deploying: Deploying, tmp_path: Path) -> None:
    """What no deployment has takes no room."""
    await deploying.refer()
    await deploying.step("withdrawal", text="Not needed.")
    assert (await deploying.photo("unit")).status_code == 409
    assert [path for path in (tmp_path / "photos").rglob("*") if path.is_file()] == []


async def test_a_used_key_brings_no_photo_to_the_disk(deploying: Deploying, tmp_path: Path) -> None:
    """What was sent under a key is done already, and anything else is refused: no file that no line of a log names."""
    await deploying.refer()
    await deploying.step("notes", text="Seen.", key="phone-1-0001")
    for shade in range(3):
        other = await deploying.photo("unit", photo(shade=shade), key="phone-1-0001")
        assert (other.status_code, other.json()["type"]) == (409, "deployment.sent")
    assert (await deploying.photo("unit", photo(shade=9), key="phone-1-0002")).status_code == 201
    assert (await deploying.photo("unit", photo(shade=9), key="phone-1-0002")).status_code == 200
    assert (await deploying.photo("unit", photo(shade=8), key="phone-1-0002")).status_code == 409
    assert (await deploying.photo("view", photo(shade=9), key="phone-1-0002")).status_code == 409
    assert len([path for path in (tmp_path / "photos").rglob("*") if path.is_file()]) == 1


async def test_photos_are_bounded_in_bytes_for_each_person_and_day(tmp_path: Path) -> None:
    """In all deployments together; for somebody else, and a day later, there is room."""
    clock = LeapingClock()
    most = DeploymentSettings(photo_bytes_a_day=2 * 1024 * 1024)
    settings = settings_in(tmp_path, session_idle_s=604_800, lock_after_s=0)
    async with open_desk(tmp_path, clock=clock, settings=settings.model_copy(update={"deployments": most})) as desk:
        deploying = await Deploying.at(desk)
        large = bytes(900 * 1024)
        for shade, status in ((1, 201), (2, 201), (3, 422)):
            await deploying.refer()
            assert (await deploying.photo("unit", photo(shade=shade) + large)).status_code == status
        assert len([path for path in (tmp_path / "photos").rglob("*") if path.is_file()]) == 2
        chief = Deploying(desk, deploying.chief, deploying.chief, deploying.camera)
        chief.path = deploying.path
        assert (await chief.photo("unit", photo(shade=3) + large)).status_code == 201
        clock.leap(86_400)
        assert (await deploying.photo("unit", photo(shade=4) + large)).status_code == 201


async def test_photos_are_bounded_in_number(tmp_path: Path) -> None:
    """A deployment has as many as the site allows; the same one is not counted twice."""
    settings = settings_in(tmp_path).model_copy(update={"deployments": DeploymentSettings(photos_max=2)})
    async with open_desk(tmp_path, settings=settings) as desk:
        deploying = await Deploying.at(desk)
        await deploying.refer()
        statuses = [(await deploying.photo("unit", photo(shade=shade))).status_code for shade in (1, 1, 2, 3)]
        assert statuses == [201, 422, 201, 422]


async def test_pictures_of_alarms_leave_room_for_photos(tmp_path: Path) -> None:
    """A unit that is knocked all night does not keep its team from showing that the signs are down."""
    settings = settings_in(tmp_path).model_copy(update={"deployments": DeploymentSettings(photos_max=2)})
    async with open_desk(tmp_path, settings=settings) as desk:
        deploying = await Deploying.at(desk)
        known = await deploying.deployed()
        for n in range(3):
            picture = Picture(kind=Kind.KNOCKED, sha256=f"{n:064x}", size_bytes=1, camera="c", recorded_ns=None)
            await desk.gateway.rooms.deployments.noted(known["id"], picture)
        await deploying.step("removal", text="Solved.")
        assert (await deploying.photo("sign-down")).status_code == 201
