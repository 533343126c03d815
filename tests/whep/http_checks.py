"""What an endpoint answers over HTTP, whatever is played."""

import re

from tests.whep.checks import check
from tests.whep.endpoint import FRAGMENT, GONE, SDP, Endpoint, NotApplicable

_ICE_SERVER = re.compile(r'<((?:stun|turn)s?:[^>]+)>((?:[^,"]|"(?:[^"\\]|\\.)*")*)')


def _successful(status: int) -> bool:
    return 200 <= status < 300


def _client_error(status: int) -> bool:
    return 400 <= status < 500


@check("4.2")
async def offer_is_created(endpoint: Endpoint) -> None:
    """An offer is answered 201 with an SDP answer and a Location."""
    async with endpoint.view(connect=False) as view:
        kind = view.made.headers.get("content-type", "").partition(";")[0]
        assert kind == SDP, f"the answer is {kind}"
        assert view.made.text.startswith("v=0"), "the answer is not SDP"


@check("4.6")
async def offer_is_not_redirected_to_a_get(endpoint: Endpoint) -> None:
    """An offer is never answered 301 or 302."""
    async with endpoint.player() as player:
        answer = await endpoint.offer(await player.offer())
        if location := answer.headers.get("location"):
            await endpoint.ask("DELETE", str(answer.url.join(location)))
        assert answer.status_code not in {301, 302}, f"it was answered {answer.status_code}"


@check("4.2")
async def sessions_are_apart(endpoint: Endpoint) -> None:
    """Each offer makes a session of its own."""
    async with endpoint.view(connect=False) as one, endpoint.view(connect=False) as other:
        assert one.url != other.url, "two offers have one Location"


@check("4.2")
async def answer_sends_only(endpoint: Endpoint) -> None:
    """Every accepted section of the answer is sendonly."""
    async with endpoint.view(connect=False) as view:
        for section in _accepted(view.made.text):
            assert re.search(r"^a=sendonly\s*$", section, re.MULTILINE), "a section is not sendonly"


@check("4.5.1")
async def answer_bundles(endpoint: Endpoint) -> None:
    """The answer bundles, and multiplexes RTCP alone (rtcp-mux and rtcp-mux-only)."""
    async with endpoint.view(connect=False) as view:
        assert "a=group:BUNDLE" in view.made.text, "no BUNDLE group"
        for section in _accepted(view.made.text):
            for name in ("rtcp-mux", "rtcp-mux-only"):
                assert re.search(rf"^a={name}\s*$", section, re.MULTILINE), f"a section has no {name}"


@check("4.5.2")
async def answer_has_one_stream(endpoint: Endpoint) -> None:
    """Every section has an msid, all of one MediaStream."""
    async with endpoint.view(connect=False) as view:
        found = [re.search(r"^a=msid:(\S+)", section, re.MULTILINE) for section in _accepted(view.made.text)]
        assert all(found), "a section has no msid"
        assert len({match[1] for match in found if match}) == 1, "the sections are of several streams"


@check("4.4.2")
async def answer_has_candidates(endpoint: Endpoint) -> None:
    """The answer has the candidates: no more can be told later."""
    async with endpoint.view(connect=False) as view:
        assert "a=candidate:" in view.made.text, "there is none"


@check("4.4.1")
async def etag_is_strong(endpoint: Endpoint) -> None:
    """The 201 has a strong ETag, another for each session."""
    async with endpoint.view(connect=False) as one, endpoint.view(connect=False) as other:
        for view in (one, other):
            assert view.etag is not None, "there is no ETag"
            assert re.fullmatch(r'"[^"]+"', view.etag), f"{view.etag} is not a strong one"
        assert one.etag != other.etag, "two sessions have one ETag"


@check("4.2")
async def offer_of_another_kind_is_refused(endpoint: Endpoint) -> None:
    """A POST that is not application/sdp is refused with 4XX."""
    async with endpoint.player() as player:
        answer = await endpoint.offer(await player.offer(), kind="application/json")
        assert _client_error(answer.status_code), f"it was answered {answer.status_code}"


@check("4.2")
async def malformed_offer_is_refused(endpoint: Endpoint) -> None:
    """An offer that is not SDP is refused with 4XX."""
    for body in ("nonsense", "", "v=0\r\nnonsense\r\n"):
        answer = await endpoint.offer(body)
        assert _client_error(answer.status_code), f"{body[:10]!r} was answered {answer.status_code}"


@check("4.2")
async def nothing_to_show_is_a_conflict(endpoint: Endpoint) -> None:
    """Where there is nothing to show an offer is answered 409 with Retry-After."""
    if endpoint.options.idle_url is None:
        raise NotApplicable("no --idle-url was given")
    async with endpoint.player() as player:
        answer = await endpoint.offer(await player.offer(), url=endpoint.options.idle_url)
        assert answer.status_code == 409, f"it was answered {answer.status_code}"
        assert answer.headers.get("retry-after", "").isdigit(), "there is no Retry-After in seconds"


@check("4.6")
async def full_is_unavailable(endpoint: Endpoint) -> None:
    """Where every place is taken an offer is answered 503, with Retry-After."""
    if not endpoint.options.fill:
        raise NotApplicable("no --fill was given")
    made = []
    try:
        for _ in range(endpoint.options.fill + 1):
            async with endpoint.player() as player:
                answer = await endpoint.offer(await player.offer())
            if answer.status_code != 201:
                break
            made.append(str(answer.url.join(answer.headers["location"])))
        assert answer.status_code == 503, f"the offer after {len(made)} was answered {answer.status_code}"
        assert answer.headers.get("retry-after", "").isdigit(), "there is no Retry-After in seconds"
    finally:
        for url in made:
            await endpoint.ask("DELETE", url)


@check("4.1")
async def endpoint_has_no_content(endpoint: Endpoint) -> None:
    """GET and HEAD of the endpoint are answered 2XX without content."""
    await _empty(endpoint, endpoint.options.url)


@check("4.1")
async def session_has_no_content(endpoint: Endpoint) -> None:
    """GET and HEAD of a session are answered 2XX without content."""
    async with endpoint.view(connect=False) as view:
        await _empty(endpoint, view.url)


@check("4.3")
async def options_say_what_to_post(endpoint: Endpoint) -> None:
    """OPTIONS is answered 200 (or 204) with Accept-Post: application/sdp."""
    answer = await endpoint.ask("OPTIONS")
    assert answer.status_code in {200, 204}, f"it was answered {answer.status_code}"
    assert SDP in answer.headers.get("accept-post", ""), "there is no Accept-Post of application/sdp"


@check("4.3")
async def preflight_is_answered(endpoint: Endpoint) -> None:
    """A browser's preflight is answered without a token, and lets the page through (Fetch)."""
    origin = endpoint.options.origin
    if origin is None:
        raise NotApplicable("no --origin was given")
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answer = await endpoint.ask("OPTIONS", headers=headers, signed=False)
    assert _successful(answer.status_code), f"it was answered {answer.status_code}"
    assert answer.headers.get("access-control-allow-origin") in {"*", origin}, "the origin is not allowed"


@check("4.7")
async def ice_servers_are_links(endpoint: Endpoint) -> None:
    """Each ICE server stands in a Link of rel="ice-server", a TURN server with its credential."""
    async with endpoint.view(connect=False) as view:
        told = ", ".join(view.made.headers.get_list("link"))
    if "ice-server" not in told:
        raise NotApplicable("the endpoint names no ICE servers")
    servers = [found.groups() for found in _ICE_SERVER.finditer(told)]
    assert servers, "no link has the URL of an ICE server"
    for url, rest in servers:
        assert re.search(r'rel="?ice-server"?', rest), f"{url} has another rel"
        if url.startswith("turn"):
            assert "username=" in rest, f"{url} has no username"
            assert "credential=" in rest, f"{url} has no credential"


@check("RFC 9110 15.5.6")
async def other_methods_are_not_allowed(endpoint: Endpoint) -> None:
    """PUT is answered 405, and Allow names what is."""
    async with endpoint.view(connect=False) as view:
        for url, wanted in ((endpoint.options.url, "POST"), (view.url, "DELETE")):
            answer = await endpoint.ask("PUT", url)
            assert answer.status_code == 405, f"it was answered {answer.status_code}"
            assert wanted in answer.headers.get("allow", ""), f"Allow has no {wanted}"


@check("4.8")
async def nothing_without_a_token(endpoint: Endpoint) -> None:
    """Without the token offers, changes and ends are answered 401."""
    if endpoint.options.token is None:
        raise NotApplicable("no --token was given")
    async with endpoint.view(connect=False) as view:
        for method, url, kind in (("POST", None, SDP), ("PATCH", view.url, FRAGMENT), ("DELETE", view.url, SDP)):
            answer = await endpoint.ask(method, url, body="v=0", headers={"Content-Type": kind}, signed=False)
            assert answer.status_code == 401, f"{method} was answered {answer.status_code}"
            assert "www-authenticate" in answer.headers, "no WWW-Authenticate says how"


@check("4.3")
async def delete_ends_a_session(endpoint: Endpoint) -> None:
    """DELETE is answered 200; then the session is gone, for every method."""
    async with endpoint.view(connect=False) as view:
        answer = await endpoint.ask("DELETE", view.url)
        assert answer.status_code == 200, f"it was answered {answer.status_code}"
        for again in (
            await endpoint.ask("DELETE", view.url),
            await endpoint.ask("GET", view.url),
            await view.patch(view.player.fragment(), if_match="*"),
        ):
            assert again.status_code in GONE, f"then {again.request.method} was answered {again.status_code}"


@check("4.4.1")
async def delete_ignores_etags(endpoint: Endpoint) -> None:
    """DELETE takes any If-Match."""
    async with endpoint.view(connect=False) as view:
        answer = await endpoint.ask("DELETE", view.url, headers={"If-Match": '"another"'})
        assert answer.status_code == 200, f"it was answered {answer.status_code}"


async def _empty(endpoint: Endpoint, url: str) -> None:
    for method in ("GET", "HEAD"):
        answer = await endpoint.ask(method, url)
        assert _successful(answer.status_code), f"{method} was answered {answer.status_code}"
        assert not answer.content, f"{method} was answered with content"


def _accepted(sdp: str) -> list[str]:
    sections = re.split(r"^(?=m=)", sdp, flags=re.MULTILINE)[1:]
    accepted = [section for section in sections if not re.match(r"m=\S+ 0 ", section) or "a=bundle-only" in section]
    assert accepted, "the answer accepts nothing"
    return accepted
