"""A share as a partner's own system takes it, end to end: gateway, camera host, and players that nobody here wrote."""

import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from kernel.clock import NS_PER_S
from tests.fakes.partner_site import CLOCK, NUMBERS, PartnerSite, Taken, partner_site, player
from tests.fakes.rtsps import run
from tests.fakes.waiting import told, until

pytestmark = pytest.mark.timeout(120)
ONE, OTHER = NUMBERS


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[PartnerSite]:
    """Give a gateway with a camera host and two cameras."""
    async with partner_site(tmp_path) as site:
        yield site


async def probed(url: str) -> tuple[int, str]:
    """Return the status and the complaint of ffprobe at an address, and what it found there where it did."""
    command = ("ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-select_streams", "v", "-show_streams")
    status, out, err = await run(*command, "-of", "json", url)
    return status, out if status == 0 else err


async def refused(url: str, status: str) -> None:
    """Make sure that an address and credential are refused."""
    code, said = await probed(url)
    assert code != 0
    assert status in said


async def works(taken: Taken, number: int = ONE) -> None:
    """Make sure that an outlet shows a camera."""
    code, said = await probed(taken.url(number))
    assert code == 0, said


async def test_ffprobe_finds_what_is_shared(site: PartnerSite) -> None:
    """The main stream where none is named, each by its name, and both cameras."""
    taken = await site.taken()
    for number, stream, width in ((ONE, "", 320), (ONE, "sub", 160), (OTHER, "main", 320)):
        status, said = await probed(taken.url(number, stream))
        assert status == 0, said
        (video,) = json.loads(said)["streams"]
        assert (video["codec_name"], video["width"]) == ("h264", width)


async def test_ffmpeg_decodes_whole_pictures(site: PartnerSite) -> None:
    """Fifty of them, and none is damaged."""
    taken = await site.taken()
    status, out, err = await run(
        *("ffmpeg", "-v", "warning", "-xerror", "-err_detect", "explode", "-rtsp_transport", "tcp"),
        *("-i", taken.url(), "-frames:v", "50", "-an", "-f", "framecrc", "-"),
    )
    assert (status, err) == (0, "")
    assert len([line for line in out.splitlines() if not line.startswith("#")]) == 50


async def test_gstreamer_decodes_it(site: PartnerSite) -> None:
    """Rtspsrc takes it by Digest over TLS, and a decoder the pictures."""
    taken = await site.taken()
    status, out, err = await run(
        *("gst-launch-1.0", "rtspsrc", f"location={taken.url()}", "protocols=tcp", "tls-validation-flags=0"),
        *("!", "rtph264depay", "!", "h264parse", "!", "openh264dec", "!", "video/x-raw,width=320,height=180"),
        *("!", "identity", "eos-after=30", "!", "fakesink"),
    )
    assert status == 0, err + out


async def test_the_end_of_the_share_is_the_end_of_the_picture(site: PartnerSite) -> None:
    """Within a second of the key the last picture has come; the address and its credential are refused from then on."""
    taken = await site.taken()
    async with player(taken.url()) as vms:
        await vms.shows(30)
        (watching,) = await told(lambda: site.viewers(taken.share), lambda found: found, what="the viewer")
        assert (watching["kind"], watching["name"]) == ("rtsp", "VMS")
        key_ns = CLOCK.monotonic_ns()
        assert (await site.desk.admin.delete(f"/api/v1/shares/{taken.share}")).status_code == 200
        await vms.over()
        assert vms.pictures[-1] - key_ns < NS_PER_S
    await refused(taken.url(), "401")
    ((begun,), (ended,)) = await site.desk.audit("view.started"), await site.desk.audit("view.ended")
    assert (begun.actor, begun.address, begun.rule) == (
        "VMS, Thames Valley Police",
        "127.0.0.1",
        f"share:{taken.share}",
    )
    assert (ended.span, json.loads(ended.details)["reason"]) == (begun.span, "the share was ended")


async def test_one_system_is_taken_out_and_the_other_sees_on(site: PartnerSite) -> None:
    """Two systems have credentials of their own; the end of one is none of the other's."""
    share_id = await site.share()
    one, other = await site.outlet(share_id), await site.outlet(share_id)
    async with player(one.url()) as gone, player(other.url()) as stays:
        await gone.shows(10)
        await stays.shows(10)
        assert (await site.desk.admin.delete(f"/api/v1/shares/{share_id}/outlets/{one.id}")).status_code == 204
        await gone.over()
        await stays.shows(30)
    await refused(one.url(), "401")
    await refused(other.url().replace(other.password, one.password), "401")


async def test_a_narrower_share_ends_what_it_gives_no_more(site: PartnerSite) -> None:
    """The camera that is taken out ends, the other goes on; then the main stream ends, and the sub stream is there."""
    taken = await site.taken()
    async with player(taken.url(ONE)) as one, player(taken.url(OTHER)) as other:
        await one.shows(10)
        await other.shows(10)
        path = f"/api/v1/shares/{taken.share}"
        await site.desk.admin.patch(path, json={"cameras": [site.cameras[OTHER]]})
        await one.over()
        await other.shows(20)
        await refused(taken.url(ONE), "404")
        await site.desk.admin.patch(path, json={"stream": "sub"})
        await other.over()
    await refused(taken.url(OTHER, "main"), "404")
    status, said = await probed(taken.url(OTHER))
    assert (status, json.loads(said)["streams"][0]["width"]) == (0, 160)


async def test_the_places_of_the_share_are_counted(site: PartnerSite) -> None:
    """With all of them taken another player is refused, until one is free again."""
    taken = await site.taken(viewer_limit=1)
    async with player(taken.url(ONE)) as vms:
        await vms.shows(10)
        await refused(taken.url(OTHER), "453")
    await until(lambda: not site.gateway.rooms.sharing.outlets.watching(), what="a free place")
    await works(taken, OTHER)


async def test_another_network_is_refused(site: PartnerSite) -> None:
    """The allow-list of the organisation holds here too, from the moment that it is changed."""
    taken = await site.taken()
    path = f"/api/v1/organisations/{site.organisation}"
    body = {"name": "Thames Valley Police", "networks": ["192.0.2.0/24"]}
    async with player(taken.url()) as vms:
        await vms.shows(10)
        changed = await site.desk.admin.put(path, json=body)
        assert changed.status_code == 200, changed.text
        await vms.over()
    await refused(taken.url(), "403")
    await site.desk.admin.put(path, json=body | {"networks": ["127.0.0.0/8"]})
    await works(taken)


async def test_a_share_outlives_the_gateway(site: PartnerSite) -> None:
    """Its restart interrupts no picture; the view is known again, and can be ended by the new one."""
    taken = await site.taken()
    async with player(taken.url()) as vms:
        await vms.shows(10)
        await site.restart()
        await vms.shows(30)
        await told(lambda: site.viewers(taken.share), lambda found: found, what="the viewer, known again")
        assert (await site.desk.admin.delete(f"/api/v1/shares/{taken.share}")).status_code == 200
        await vms.over()
    await refused(taken.url(), "401")


async def test_a_killed_host_lets_systems_in_again(tmp_path: Path) -> None:
    """Its next process is told every outlet anew: the same address and credential work.

    A process of its own has uvloop: there, too, the end of a share resets what goes on.
    """
    async with partner_site(tmp_path, own_process=True) as site:
        ending = await site.taken()
        async with player(ending.url()) as vms:
            await vms.shows(10)
            assert (await site.desk.admin.delete(f"/api/v1/shares/{ending.share}")).status_code == 200
            await vms.over()
        taken = await site.taken()
        (host,) = site.gateway.hosts
        assert host.pid is not None
        async with player(taken.url()) as vms:
            await vms.shows(10)
            os.kill(host.pid, signal.SIGKILL)
            await vms.over()
        link = site.gateway.fleet.links[0]
        await until(lambda: not link.up, what="the loss of the host")
        await until(lambda: link.up, timeout_s=60.0, what="the next host")
        await site.plays()
        await works(taken)
