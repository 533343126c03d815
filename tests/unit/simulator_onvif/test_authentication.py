"""Who is let in, and every way in which cameras get that wrong."""

import hashlib
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from drivers.simulator.device import SimulatedDevice
from drivers.simulator.onvif.authentication import REALM, Guard, Verdict
from tests.fakes.clock import ManualClock
from tests.unit.simulator_onvif.stand import JPEG, Answer, Wire, a_device, on_the_wire, token

PATH = "/onvif/device_service"
GOOD, REFUSED = 200, 401


@pytest.fixture
def device(clock: ManualClock) -> SimulatedDevice:
    """Return a camera."""
    return a_device(clock)


@pytest_asyncio.fixture
async def wire(device: SimulatedDevice) -> AsyncIterator[Wire]:
    """Return a connection to it."""
    async with on_the_wire(device) as wire:
        yield wire


def challenges(answer: Answer) -> list[dict[str, str]]:
    """Return the parameters of every Digest challenge."""
    told = []
    for header in answer.headers.getall("WWW-Authenticate", []):
        pairs = header.removeprefix("Digest ").split(", ")
        told.append({name: value.strip('"') for name, _, value in (pair.partition("=") for pair in pairs)})
    return told


def proof(challenge: dict[str, str], password: str, *, nc: str = "00000001", qop: str | None = "auth") -> str:
    """Return the Authorization header that RFC 7616 asks for, computed apart from the camera's own code."""
    algorithm = challenge["algorithm"]
    hashed = hashlib.sha256 if algorithm == "SHA-256" else hashlib.md5

    def digest(*parts: str) -> str:
        return hashed(":".join(parts).encode()).hexdigest()

    secret, asked = digest("sightline", challenge["realm"], password), digest("POST", PATH)
    middle = [challenge["nonce"], *([nc, "c0ffee", qop] if qop else [])]
    fields = {
        "username": "sightline",
        "realm": challenge["realm"],
        "nonce": challenge["nonce"],
        "uri": PATH,
        "response": digest(secret, *middle, asked),
    }
    header = "Digest " + ", ".join(f'{name}="{value}"' for name, value in fields.items())
    return header + f", algorithm={algorithm}" + (f', qop={qop}, nc={nc}, cnonce="c0ffee"' if qop else "")


async def ask(wire: Wire, authorization: str = "") -> Answer:
    """Ask for something that needs authentication, without a UsernameToken."""
    headers = {"Authorization": authorization} if authorization else {}
    return await wire.call("tds", "GetDeviceInformation", header="", path=PATH, **headers)


async def test_without_proof_it_challenges(wire: Wire) -> None:
    """A request without credentials gets 401, an MD5 challenge and a fault that says NotAuthorized."""
    answer = await ask(wire)
    (challenge,) = challenges(answer)
    assert (answer.status, challenge["algorithm"], challenge["qop"]) == (REFUSED, "MD5", "auth")
    assert challenge["realm"] == REALM
    assert answer.fault == ["NotAuthorized"]


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_digest_lets_in(wire: Wire, device: SimulatedDevice, algorithm: str) -> None:
    """The right password passes by either algorithm."""
    device.digest_algorithms = (algorithm,)
    (challenge,) = challenges(await ask(wire))
    assert challenge["algorithm"] == algorithm
    assert (await ask(wire, proof(challenge, device.password))).status == GOOD


async def test_a_client_without_qop_is_let_in(wire: Wire, device: SimulatedDevice) -> None:
    """RFC 2069 clients pass too."""
    (challenge,) = challenges(await ask(wire))
    assert (await ask(wire, proof(challenge, device.password, qop=None))).status == GOOD


@pytest.mark.parametrize(
    "spoiled",
    [("nonce=", "nonce=x"), ('username="sightline"', 'username="other"'), ("MD5", "SHA-512"), (PATH, "/elsewhere")],
)
async def test_a_spoiled_digest_is_refused(wire: Wire, device: SimulatedDevice, spoiled: tuple[str, str]) -> None:
    """Another user, nonce, address or an unknown algorithm does not pass."""
    (challenge,) = challenges(await ask(wire))
    assert (await ask(wire, proof(challenge, device.password).replace(*spoiled))).status == REFUSED


async def test_a_wrong_password_is_refused(wire: Wire) -> None:
    """The wrong password does not pass, and is not called stale."""
    (challenge,) = challenges(await ask(wire))
    answer = await ask(wire, proof(challenge, "guess"))
    assert answer.status == REFUSED
    assert "stale" not in challenges(answer)[0]


async def test_a_replayed_count_is_stale(wire: Wire, device: SimulatedDevice) -> None:
    """The same nonce count twice is refused as stale; the next count passes."""
    (challenge,) = challenges(await ask(wire))
    assert (await ask(wire, proof(challenge, device.password))).status == GOOD
    again = await ask(wire, proof(challenge, device.password))
    assert (again.status, challenges(again)[0]["stale"]) == (REFUSED, "true")
    assert (await ask(wire, proof(challenge, device.password, nc="00000002"))).status == GOOD


async def test_an_old_nonce_is_stale(wire: Wire, device: SimulatedDevice, clock: ManualClock) -> None:
    """A nonce of more than five minutes must be asked for anew."""
    (challenge,) = challenges(await ask(wire))
    await clock.turn(301)
    assert challenges(await ask(wire, proof(challenge, device.password)))[0]["stale"] == "true"


async def test_a_username_token_lets_in_once(wire: Wire, device: SimulatedDevice) -> None:
    """A UsernameToken passes; the same one again does not."""
    header = token(device)
    assert (await wire.call("tds", "GetUsers", header=header)).status == GOOD
    again = await wire.call("tds", "GetUsers", header=header)
    assert (again.status, again.fault) == (400, ["NotAuthorized"])


@pytest.mark.parametrize(
    "changed",
    [{"password": "guess"}, {"username": "other"}, {"kind": "#PasswordText"}, {"created": "some day"}],
)
async def test_a_spoiled_username_token_is_refused(
    wire: Wire, device: SimulatedDevice, changed: dict[str, str]
) -> None:
    """Another password, user, kind of password or time does not pass."""
    assert (await wire.call("tds", "GetUsers", header=token(device, **changed))).fault == ["NotAuthorized"]


async def test_a_flood_of_challenges_is_bounded(device: SimulatedDevice) -> None:
    """A thousand and more unanswered challenges take no more room than a thousand."""
    guard = Guard(device)
    for _ in range(1100):
        guard.challenges()
    assert len(guard._nonces) == 1024


async def test_an_address_in_full_is_taken(device: SimulatedDevice) -> None:
    """Some clients write the whole URL into their digest."""
    guard = Guard(device)
    (header,) = guard.challenges()
    told = header.removeprefix("Digest ").split(", ")
    challenge = {name: value.strip('"') for name, _, value in (pair.partition("=") for pair in told)}

    def digest(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    secret, asked = digest(f"sightline:{REALM}:{device.password}"), digest(f"POST:http://camera{PATH}")
    answer = digest(f"{secret}:{challenge['nonce']}:1:c:auth:{asked}")
    fields = f'realm="{REALM}", nonce="{challenge["nonce"]}", uri="http://camera{PATH}", nc=1, cnonce="c", qop=auth'
    sent = f'Digest username="sightline", {fields}, response="{answer}"'
    assert guard.digest("POST", PATH, sent) is Verdict.PASSED
    assert guard.digest("POST", "/elsewhere", sent) is Verdict.WRONG


async def test_the_bootstrap_needs_no_credentials(wire: Wire) -> None:
    """What a client must ask before it can prove itself is open to all."""
    for name in ("GetSystemDateAndTime", "GetServices", "GetCapabilities", "GetServiceCapabilities", "GetHostname"):
        assert (await wire.call("tds", name, header="")).status == GOOD


async def test_the_snapshot_is_behind_digest(wire: Wire, device: SimulatedDevice) -> None:
    """A still needs HTTP digest; no profile of that name, no still."""
    url = f"{wire.base}/snapshot/profile-main"
    async with wire.session.get(url) as refused:
        assert refused.status == REFUSED
    digest = aiohttp.DigestAuthMiddleware(device.username, device.password)
    async with wire.session.get(url, middlewares=(digest,)) as still:
        assert (still.content_type, await still.read()) == ("image/jpeg", JPEG)
    async with wire.session.get(f"{wire.base}/snapshot/other", middlewares=(digest,)) as missing:
        assert missing.status == 404


async def test_digest_only(wire: Wire, device: SimulatedDevice) -> None:
    """digest_only: a good UsernameToken is met with a challenge."""
    device.faults.digest_only = True
    answer = await wire.call("tds", "GetUsers")
    assert (answer.status, len(challenges(answer))) == (REFUSED, 1)


async def test_two_challenges(wire: Wire, device: SimulatedDevice) -> None:
    """two_challenges: SHA-256 and MD5 come in two headers, and both are accepted."""
    device.faults.two_challenges = True
    both = challenges(await ask(wire))
    assert [challenge["algorithm"] for challenge in both] == ["SHA-256", "MD5"]
    for count, challenge in enumerate(both, 1):
        assert (await ask(wire, proof(challenge, device.password, nc=f"{count:08x}"))).status == GOOD


async def test_sha256_broken(wire: Wire, device: SimulatedDevice) -> None:
    """sha256_broken: SHA-256 is offered first and refused; MD5 passes."""
    device.faults.sha256_broken = True
    strong, weak = challenges(await ask(wire))
    assert (await ask(wire, proof(strong, device.password))).status == REFUSED
    assert (await ask(wire, proof(weak, device.password))).status == GOOD


async def test_wsse_only(wire: Wire, device: SimulatedDevice) -> None:
    """wsse_only: no challenge is offered, and a UsernameToken is the only way in."""
    (challenge,) = challenges(await ask(wire))
    device.faults.wsse_only = True
    answer = await ask(wire, proof(challenge, device.password))
    assert (answer.status, answer.fault, challenges(answer)) == (400, ["NotAuthorized"], [])
    assert (await wire.call("tds", "GetUsers")).status == GOOD


async def test_qop_auth_int(wire: Wire, device: SimulatedDevice) -> None:
    """qop_auth_int: both are offered in one quoted list; auth passes, auth-int does not."""
    device.faults.qop_auth_int = True
    answer = await ask(wire)
    assert 'qop="auth,auth-int"' in answer.headers["WWW-Authenticate"]
    (challenge,) = challenges(answer)
    assert (await ask(wire, proof(challenge, device.password, qop="auth-int"))).status == REFUSED
    assert (await ask(wire, proof(challenge, device.password))).status == GOOD


async def test_replay_skew(wire: Wire, device: SimulatedDevice, clock: ManualClock) -> None:
    """replay_skew_s: a token made by a clock too far from the camera's is refused."""
    device.faults.replay_skew_s = 5.0
    device.faults.clock_error_s = 30.0
    theirs = token(device)
    device.faults.clock_error_s = 0.0
    ours = token(device)
    device.faults.clock_error_s = 30.0
    assert (await wire.call("tds", "GetUsers", header=ours)).fault == ["NotAuthorized"]
    assert (await wire.call("tds", "GetUsers", header=theirs)).status == GOOD


async def test_rejects_plus_zero(wire: Wire, device: SimulatedDevice) -> None:
    """rejects_plus_zero: a Created that ends in +00:00 is refused, one that ends in Z passes."""
    device.faults.rejects_plus_zero = True
    created = "2026-09-21T14:13:20"
    plus, zulu = token(device, created=f"{created}+00:00"), token(device, created=f"{created}Z")
    assert (await wire.call("tds", "GetUsers", header=plus)).fault == ["NotAuthorized"]
    assert (await wire.call("tds", "GetUsers", header=zulu)).status == GOOD


async def test_clock_needs_auth(wire: Wire, device: SimulatedDevice) -> None:
    """clock_needs_auth: the time is told only to those who prove themselves."""
    device.faults.clock_needs_auth = True
    assert (await wire.call("tds", "GetSystemDateAndTime", header="")).status == REFUSED
    assert (await wire.call("tds", "GetSystemDateAndTime")).status == GOOD
