"""Made-up requests for all that the OpenAPI document promises, by every role: no bug, and answers as promised."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Container
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.api.problems import MEDIA_TYPE
from gateway.fleet.rpc import SDP_FRAGMENT_MEDIA_TYPE, SDP_MEDIA_TYPE
from tests.fakes.desk import ROLES, Desk, open_desk
from tests.fakes.outside import officer, share

EXAMPLES = {GenerationMode.POSITIVE: 2, GenerationMode.NEGATIVE: 1}
"""As promised, and not as promised, for every operation and role: few, because there are eight walks."""
SEED = 20_260_501
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
BOUNDED = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
ANSWERED_AT_LEAST = {
    "administrator": 15,
    "supervisor": 10,
    "operator": 10,
    "viewer": 8,
    "member": 5,
    "partner": 8,
    "program": 10,
    "nobody": 2,
}
"""Operations of which at least one made-up request is carried out; else it was only the refusals that were tried."""
ENDS_IT = frozenset({"DELETE /api/v1/session", "PUT /api/v1/session/state"})
"""What would leave the rest of a walk with a session that is over or locked; a program asks for these all the same."""


@schemathesis.serializer(SDP_MEDIA_TYPE, SDP_FRAGMENT_MEDIA_TYPE)
def sdp(_context: Any, value: Any) -> bytes:
    """Return a made-up session description as it goes over the wire."""
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


def _named(case: Any, status: int) -> Container[str]:
    """Return the media types that an operation names for a refusal of its own."""
    said = case.operation.definition.raw["responses"]
    named: dict[str, Any] = said.get(str(status), said.get(f"{status // 100}XX", {})).get("content", {})
    return named


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway without cameras."""
    async with open_desk(tmp_path) as desk:
        yield desk


class Walk:
    """Asks for every operation; ``wrong`` has a line for each kind of fault. ``known`` names things that there are."""

    def __init__(
        self,
        document: dict[str, Any],
        url: str,
        headers: dict[str, str],
        known: dict[str, str],
        *,
        without: Container[str] = (),
    ) -> None:
        self.wrong: dict[str, None] = {}
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self._schema = schemathesis.openapi.from_dict(document)
        self._url = url
        self._headers = headers
        self._known = known
        self._without = without

    def run(self) -> None:
        """Ask. Blocks."""
        for result in self._schema.get_all_operations():
            operation: Any = result.ok()  # type: ignore[union-attr]
            if operation.label in self._without:
                continue
            for mode, examples in EXAMPLES.items():
                cases = operation.as_strategy(generation_mode=mode)
                # What takes nothing can be asked for in no other way than as promised.
                with suppress(*[Unsatisfiable] if mode is GenerationMode.NEGATIVE else []):
                    seed(SEED)(settings(BOUNDED, max_examples=examples)(given(case=cases)(self._ask)))()

    def _ask(self, case: Any) -> None:
        name, method = case.operation.label, case.operation.method.upper()
        self.asked[name] += 1
        if self.asked[name] % 2 and method != "DELETE":
            # Half of the requests are for something that there is.
            case.path_parameters.update({key: self._known[key] for key in case.path_parameters if key in self._known})
        answer = case.call(base_url=self._url, headers=self._headers)
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as found:
            for error in found.exceptions:
                self._fault(case, answer, str(error))
        kind = answer.headers.get("content-type", [""])[0]
        if answer.status_code < 400:
            self.answered[name] += 1
            promised = case.operation.definition.raw["responses"].get(str(answer.status_code), {}).get("content", {})
            if answer.content and kind.partition(";")[0] not in promised:
                self._fault(case, answer, f"answers {kind or 'nothing'}, which the document does not name")
        elif method != "HEAD" and kind != MEDIA_TYPE and kind.partition(";")[0] not in _named(case, answer.status_code):
            self._fault(case, answer, f"answers {kind or 'nothing'}, which is no problem")

    def _fault(self, case: Any, answer: Any, said: str) -> None:
        said = f"{case.operation.label} {answer.status_code}: {said} {answer.text[:150]!r} to {case.body!r:.200}"
        self.wrong[said] = None


async def way_in(desk: Desk, role: str, camera: str) -> dict[str, str]:
    """Return the headers of a browser that is signed in as a role, of an administrator's program, or of nobody's."""
    if role == "nobody":
        return {}
    if role == "program":
        return {"Authorization": (await desk.token("administrator")).headers["authorization"]}
    if role == "partner":
        pc = await officer(desk)
        await share(desk, pc, camera, stills=True, may_ask_for_stick=True)
        browser = pc.browser
    else:
        browser = await desk.person(role)
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)
    return {"Cookie": cookies, "Origin": desk.url, "X-Sightline": "1"}


@pytest.mark.parametrize("role", [*ROLES, "partner", "program", "nobody"])
@pytest.mark.timeout(300)
async def test_no_made_up_request_meets_a_bug(desk: Desk, role: str) -> None:
    """Nothing answers 5xx; each answer has a status, kind and shape that the document names; refusals are problems."""
    document = (await desk.admin.get("/api/v1/openapi.json")).json()
    camera = await desk.enrol()
    headers = await way_in(desk, role, camera)
    known = {"camera_id": camera, "host": "0", "stream": "main"}
    without = ENDS_IT if "Cookie" in headers else frozenset[str]()
    walk = Walk(document, desk.url, headers, known, without=without)
    await asyncio.to_thread(walk.run)
    assert not walk.wrong, "\n".join(walk.wrong)
    assert (
        set(walk.asked)
        == {f"{method.upper()} {path}" for path, operations in document["paths"].items() for method in operations}
        - without
    )
    assert len(walk.answered) >= ANSWERED_AT_LEAST[role], walk.answered


async def test_a_bug_and_a_broken_promise_are_found(desk: Desk) -> None:
    """The walk tells of an answer that is none of those that its document names, and of one of another shape."""
    document = {
        "openapi": "3.1.0",
        "info": {"title": "wrong", "version": "1"},
        "paths": {
            "/api/v1/setup": {"get": {"responses": {"204": {"description": "nothing"}}}},
            "/healthz": {
                "get": {
                    "responses": {
                        "200": {
                            "description": "a list",
                            "content": {"application/json": {"schema": {"type": "array"}}},
                        }
                    }
                }
            },
        },
    }
    walk = Walk(document, desk.url, {}, {})
    await asyncio.to_thread(walk.run)
    assert {fault.partition(":")[0] for fault in walk.wrong} == {"GET /api/v1/setup 200", "GET /healthz 200"}


async def test_a_refused_body_is_described_as_what_it_is(desk: Desk) -> None:
    """The document names problem details where the framework would name its own."""
    document = (await desk.admin.get("/api/v1/openapi.json")).json()
    refused = document["paths"]["/api/v1/cameras"]["post"]["responses"]["422"]
    assert list(refused["content"]) == [MEDIA_TYPE]
    assert set(document["components"]["schemas"]["Problem"]["properties"]) == {"type", "title", "detail", "status"}
    assert "HTTPValidationError" not in document["components"]["schemas"]
