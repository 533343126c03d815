"""The conformance kit: our own endpoint passes, and every check is seen to fail where an endpoint does that wrong."""

import asyncio
import sys
from pathlib import Path

import pytest

from config.live import LiveSettings
from tests.fakes.whep_desk import whep_desk
from tests.fakes.wrong_whep import LIVE, ORIGIN, TOKEN, wrong_whep
from tests.whep.__main__ import arguments, line, summary
from tests.whep.checks import CHECKS
from tests.whep.endpoint import Options
from tests.whep.run import Outcome, Result, run

OURS = LiveSettings.model_validate(
    {
        "addresses": ["127.0.0.1"], "port": 0, "max_viewers": 4, "connect_timeout_s": 3.0, "stall_timeout_s": 5.0,
        "signalling_per_s": 20.0, "signalling_burst": 60, "player_origins": [ORIGIN],
        "turn_urls": ["turn:127.0.0.1:9?transport=udp"], "turn_secret": "0123456789abcdef",
    }
)  # fmt: skip
WRONGS = {
    "offer-is-created": "made-200",
    "offer-is-not-redirected-to-a-get": "redirects",
    "sessions-are-apart": "one-location",
    "answer-sends-only": "sends-and-receives",
    "answer-bundles": "no-mux-only",
    "answer-has-one-stream": "no-msid",
    "answer-has-candidates": "no-candidates",
    "etag-is-strong": "weak-etag",
    "offer-of-another-kind-is-refused": "takes-any-offer",
    "malformed-offer-is-refused": "offers-break-it",
    "nothing-to-show-is-a-conflict": "conflict-without-time",
    "full-is-unavailable": "full-without-time",
    "endpoint-has-no-content": "endpoint-has-a-page",
    "session-has-no-content": "session-has-a-page",
    "options-say-what-to-post": "no-accept-post",
    "preflight-is-answered": "no-cors",
    "ice-servers-are-links": "no-credential",
    "other-methods-are-not-allowed": "no-allow",
    "nothing-without-a-token": "open-to-all",
    "delete-ends-a-session": "undead",
    "delete-ignores-etags": "delete-needs-a-tag",
    "media-is-received": "silent",
    "delete-ends-the-media": "media-after-delete",
    "candidates-are-trickled": "trickle-with-tag",
    "media-comes-by-trickled-candidates": "trickling-ends-it",
    "unusable-candidates-are-passed-over": "odd-candidates-break-it",
    "patch-of-another-kind-is-refused": "takes-any-patch",
    "malformed-patch-is-refused": "nonsense-is-fine",
    "patch-needs-an-etag": "tag-is-optional",
    "patch-needs-the-right-etag": "any-tag-will-do",
    "a-star-is-no-restart": "star-restarts",
    "restart-is-answered-with-credentials": "same-credentials",
    "restart-keeps-ice-options": "no-ice-options",
    "restart-changes-the-etag": "restart-without-tag",
    "media-goes-on-after-a-restart": "quiet-after-restart",
    "old-credentials-are-dropped": "old-credentials-open",
    "refused-restart-ends-nothing": "refusal-ends",
    "vanished-player-is-forgotten": "remembers",
    "player-that-never-comes-is-forgotten": "remembers",
    "too-many-requests-are-told": "no-retry-after",
}

pytestmark = pytest.mark.timeout(240)


def told(results: list[Result]) -> str:
    """Return the table, for the message of an assertion."""
    return "\n".join(line(result) for result in results)


def options(url: str, **more: object) -> Options:
    """Return what the kit is told of the little server."""
    given = {"token": TOKEN, "idle_url": f"{url}/idle", "fill": LIVE.max_viewers, "origin": ORIGIN, "patience_s": 20.0}
    return Options(url=f"{url}/whep", **{**given, **more})  # type: ignore[arg-type]


async def test_ours_is_as_the_draft_wants_it(tmp_path: Path) -> None:
    """Every check passes at our own endpoint; none is left out."""
    async with whep_desk(tmp_path, OURS) as desk:
        program = await desk.desk.token("viewer")
        asked = Options(
            url=f"{desk.desk.url}/whep/{desk.camera}/main",
            token=program.headers["authorization"].removeprefix("Bearer "),
            idle_url=f"{desk.desk.url}/whep/{desk.camera}/sub",
            fill=OURS.max_viewers,
            origin=ORIGIN,
        )
        results = await run(asked)
    assert {result.check.name for result in results} == set(CHECKS)
    assert all(result.outcome is Outcome.PASS for result in results), told(results)


async def test_a_server_that_is_right_passes() -> None:
    """The little server, with no knob turned, passes every check: what fails below fails by the knob."""
    async with wrong_whep() as url:
        results = await run(options(url))
    assert all(result.outcome is Outcome.PASS for result in results), told(results)


def test_every_check_has_a_server_that_fails_it() -> None:
    """None is left without proof that it can fail."""
    assert set(WRONGS) == set(CHECKS)


@pytest.mark.parametrize("name", WRONGS)
async def test_a_check_fails_where_its_fact_is_wrong(name: str) -> None:
    """With its knob turned, the check says FAIL and why."""
    async with wrong_whep(WRONGS[name]) as url:
        (result,) = await run(options(url, patience_s=4.0, frames_s=3.0), only=[name])
    assert result.outcome is Outcome.FAIL, line(result)
    assert result.why


async def test_the_command_prints_a_table_and_tells_of_failures() -> None:
    """One line for each check with its section; the exit status is 1 where one failed, and 0 where none did."""
    common = ["--token", TOKEN, "--only", "etag-is-strong", "--only", "full-is-unavailable"]
    async with wrong_whep("weak-etag") as wrong, wrong_whep() as right:
        for url, status, word in ((wrong, 1, "FAIL"), (right, 0, "pass")):
            command = [sys.executable, "-m", "tests.whep", f"{url}/whep", *common]
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            printed, _ = await process.communicate()
            first, second, last = printed.decode().splitlines()
            assert process.returncode == status
            assert first.split()[:3] == [word, "4.4.1", "etag-is-strong"]
            assert second.split()[:3] == ["n/a", "4.6", "full-is-unavailable"]
            assert last.startswith("2 checks: ")


def test_nothing_passed_is_no_success() -> None:
    """Where no check could be made the exit status is 2."""
    _, status = summary([Result(check=CHECKS["full-is-unavailable"], outcome=Outcome.NOT_APPLICABLE)])
    assert status == 2


def test_the_command_line_is_read() -> None:
    """What is not given stays as the options have it."""
    asked, only = arguments(["https://a.example/whep", "--insecure", "--only", "etag-is-strong"])
    assert asked == Options(url="https://a.example/whep", insecure=True)
    assert only == ["etag-is-strong"]
