"""Media, trickled candidates, ICE restarts, limits, and what becomes of sessions that nobody uses."""

import asyncio
import re

from kernel.clock import SystemClock
from tests.fakes.waiting import told
from tests.whep.checks import check
from tests.whep.endpoint import FRAGMENT, GONE, Endpoint, NotApplicable, View
from tests.whep.player import answers_check, candidates_in, found

POLL_S = 0.25


@check("4.2")
async def media_is_received(endpoint: Endpoint) -> None:
    """Pictures come, and are decoded."""
    async with endpoint.view() as view:
        await view.plays(10)


@check("4.3")
async def delete_ends_the_media(endpoint: Endpoint) -> None:
    """After a DELETE the DTLS session is ended, and nothing more is sent."""
    async with endpoint.view() as view:
        await endpoint.ask("DELETE", view.url)
        async with asyncio.timeout(endpoint.options.frames_s):
            while not view.player.over:
                before = view.player.frames
                more = await view.player.more_frames(1, within_s=POLL_S)
                assert more or view.player.frames == before
        assert not await view.player.more_frames(1, within_s=endpoint.options.silence_s), "pictures go on"


@check("4.4.2")
async def candidates_are_trickled(endpoint: Endpoint) -> None:
    """A PATCH with candidates is answered 204, without content and without an ETag."""
    async with endpoint.view(connect=False) as view:
        answer = await view.patch(view.player.fragment(*view.player.candidates))
        _supported(answer.status_code)
        assert answer.status_code == 204, f"it was answered {answer.status_code}"
        assert not answer.content, "there is content"
        assert "etag" not in answer.headers, "there is an ETag"


@check("4.4.2")
async def media_comes_by_trickled_candidates(endpoint: Endpoint) -> None:
    """An offer without candidates plays when they are trickled."""
    async with endpoint.view(connect=False, candidates=False) as view:
        answer = await view.patch(view.player.fragment(*view.player.candidates, "end-of-candidates"))
        _supported(answer.status_code)
        await view.player.accept(view.made.text)
        await view.plays()


@check("4.4.2")
async def unusable_candidates_are_passed_over(endpoint: Endpoint) -> None:
    """A candidate of an unknown transport, or of a name that nobody knows, is discarded in silence."""
    async with endpoint.view(connect=False) as view:
        for line in (
            "candidate:1 1 dccp 2130706431 192.0.2.1 9 typ host",
            "candidate:1 1 udp 2130706431 nobody-knows-this.local 9 typ host",
        ):
            answer = await view.patch(view.player.fragment(line))
            _supported(answer.status_code)
            assert answer.status_code == 204, f"{line!r} was answered {answer.status_code}"


@check("4.4.1")
async def patch_of_another_kind_is_refused(endpoint: Endpoint) -> None:
    """A PATCH that is no trickle-ice-sdpfrag is refused with 4XX."""
    async with endpoint.view(connect=False) as view:
        answer = await view.patch(view.player.fragment(*view.player.candidates), kind="application/json")
        assert 400 <= answer.status_code < 500, f"it was answered {answer.status_code}"


@check("4.4.1")
async def malformed_patch_is_refused(endpoint: Endpoint) -> None:
    """A fragment that is malformed is refused with 4XX."""
    async with endpoint.view(connect=False) as view:
        for body in ("nonsense", view.player.fragment("candidate:nonsense")):
            answer = await view.patch(body)
            assert 400 <= answer.status_code < 500, f"it was answered {answer.status_code}"


@check("4.4.1")
async def patch_needs_an_etag(endpoint: Endpoint) -> None:
    """A PATCH without If-Match is answered 428."""
    async with endpoint.view(connect=False) as view:
        await _trickles(view)
        answer = await view.patch(view.player.fragment(*view.player.candidates), if_match=None)
        assert answer.status_code == 428, f"it was answered {answer.status_code}"


@check("4.4.1")
async def patch_needs_the_right_etag(endpoint: Endpoint) -> None:
    """A PATCH with another ETag is answered 412."""
    async with endpoint.view(connect=False) as view:
        await _trickles(view)
        answer = await view.patch(view.player.fragment(*view.player.candidates), if_match='"another"')
        assert answer.status_code == 412, f"it was answered {answer.status_code}"


@check("4.4.3")
async def a_star_is_no_restart(endpoint: Endpoint) -> None:
    """A restart is known by its credentials: If-Match: * with the present ones is not one."""
    async with endpoint.view() as view:
        answer = await view.patch(view.player.fragment(*view.player.candidates), if_match="*")
        _supported(answer.status_code)
        assert answer.status_code != 200, "it was answered as a restart"
        await view.plays()


@check("4.4.3")
async def restart_is_answered_with_credentials(endpoint: Endpoint) -> None:
    """A restart is answered 200 with new credentials as a trickle-ice-sdpfrag."""
    async with endpoint.view() as view:
        answer = await view.restart()
        assert answer.headers.get("content-type", "").startswith(FRAGMENT), "it is of another kind"
        for name in ("ice-ufrag", "ice-pwd"):
            assert found(name, answer.text), f"there is no {name}"
            assert found(name, answer.text) != found(name, view.made.text), f"{name} is the old one"


@check("4.4.3")
async def restart_keeps_ice_options(endpoint: Endpoint) -> None:
    """The fragment has the ice-options and ice-lite of the answer."""
    async with endpoint.view() as view:
        answer = await view.restart()
        for pattern in (r"^a=ice-options:(.*?)\s*$", r"^a=(ice-lite)\s*$"):
            before, after = (set(re.findall(pattern, text, re.MULTILINE)) for text in (view.made.text, answer.text))
            assert before == after, f"{before or 'nothing'} became {after or 'nothing'}"


@check("4.4.3")
async def restart_changes_the_etag(endpoint: Endpoint) -> None:
    """A restart has a new strong ETag; the old one is over (412), the new one holds (204)."""
    async with endpoint.view() as view:
        old = view.etag
        answer = await view.restart()
        assert re.fullmatch(r'"[^"]+"', answer.headers.get("etag", "")), "the 200 has no strong ETag"
        assert view.etag != old, "the ETag is the old one"
        body = view.player.fragment(*view.player.candidates)
        assert (late := await view.patch(body, if_match=old)).status_code == 412, f"the old was {late.status_code}"
        assert (now := await view.patch(body)).status_code == 204, f"the new was answered {now.status_code}"


@check("4.4.3")
async def media_goes_on_after_a_restart(endpoint: Endpoint) -> None:
    """Pictures go on over the new pair, in the same session and under the same keys; a second restart, too."""
    async with endpoint.view() as view:
        for _ in range(2):
            await view.restart()
            await view.plays(10)
        assert not view.player.over, "the DTLS session was ended"


@check("4.4.3")
async def old_credentials_are_dropped(endpoint: Endpoint) -> None:
    """After a restart checks with the old credentials are not answered."""
    async with endpoint.view() as view:
        old = view.player.credentials
        answer = await view.restart()
        await view.plays()
        for candidate in candidates_in(answer.text) or candidates_in(view.made.text):
            if candidate.transport != "udp":
                continue
            heard = await answers_check(candidate, old, within_s=endpoint.options.silence_s)
            assert not heard, f"{candidate.host}:{candidate.port} answered a check with the old ones"


@check("4.4.3")
async def refused_restart_ends_nothing(endpoint: Endpoint) -> None:
    """A restart that cannot be made (no password) is refused with 4XX, and the session goes on."""
    async with endpoint.view() as view:
        body = re.sub(r"a=ice-pwd:.*\r\n", "", view.player.fragment(name="elsewhere"))
        answer = await view.patch(body, if_match="*")
        assert 400 <= answer.status_code < 500, f"it was answered {answer.status_code}"
        await view.plays()


@check("4.2, RFC 7675")
async def vanished_player_is_forgotten(endpoint: Endpoint) -> None:
    """The session of a player that is gone without a word is ended."""
    async with endpoint.view() as view:
        await view.player.vanish()
        await _is_forgotten(view)


@check("4.2")
async def player_that_never_comes_is_forgotten(endpoint: Endpoint) -> None:
    """The session of a player that never connects is ended."""
    async with endpoint.view(connect=False) as view:
        await _is_forgotten(view)


@check("RFC 6585 4")
async def too_many_requests_are_told(endpoint: Endpoint) -> None:
    """Who asks without end is answered 429 with Retry-After, and may go on after that time."""
    async with endpoint.view() as view:
        for _ in range(endpoint.options.burst):
            answer = await view.patch("nonsense")
            if answer.status_code == 429:
                break
        else:
            raise NotApplicable(f"no limit was met in {endpoint.options.burst} requests")
        after = answer.headers.get("retry-after", "")
        assert after.isdigit(), "there is no Retry-After in seconds"
        await SystemClock().sleep(min(int(after), endpoint.options.patience_s))
        again = await view.patch("nonsense")
        assert again.status_code != 429, f"after {after} s it was answered 429 again"


def _supported(status: int) -> None:
    if status == 422:
        raise NotApplicable("trickled candidates are refused with 422")


async def _trickles(view: View) -> None:
    _supported((await view.patch(view.player.fragment(*view.player.candidates))).status_code)


async def _is_forgotten(view: View) -> None:
    patience_s = view.endpoint.options.patience_s
    await told(
        lambda: view.endpoint.ask("GET", view.url),
        lambda answer: answer.status_code in GONE,
        timeout_s=patience_s,
        what="the session to be forgotten",
    )
