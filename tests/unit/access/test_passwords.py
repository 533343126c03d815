"""Passwords: length over composition, argon2id, and limits by account and network."""

import asyncio

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.errors import PasswordPolicyError, TooManyAttemptsError
from gateway.access.limits import KEPT_MAX, Attempts, network_of
from gateway.access.passwords import STRENGTH, Passwords
from gateway.access.permissions import Permission, Role
from tests.fakes.clock import ManualClock
from tests.unit.access.conftest import QUICK

POLICY = Passwords(min_length=12, hasher=QUICK)


@pytest.mark.parametrize("password", ["twelve chars", "äöüß äöüß äöüß", "correct horse battery", " leading blank ok "])
async def test_length_is_enough(password: str) -> None:
    """No digits, capitals or signs are asked for."""
    await POLICY.check_policy(password, username="ann")


@pytest.mark.parametrize(
    "password",
    ["short", "x" * 1025, "passwordpassword", "aaaaaaaaaaaaaa", "1q2w3e4r5t6y", "abababababab", "annannannann"],
)
async def test_what_is_guessed_first_is_refused(password: str) -> None:
    """Short, endless, common, monotonous ones and the user name are refused."""
    with pytest.raises(PasswordPolicyError):
        await POLICY.check_policy(password, username="ann")


async def test_a_hash_is_argon2id_and_verifies() -> None:
    """The stored form names argon2id at a gateway's strength, and only the password fits it."""
    stored = await Passwords(min_length=12, hasher=PasswordHasher.from_parameters(STRENGTH)).hash(
        "correct horse battery"
    )
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await POLICY.verify(stored, "correct horse battery")
    assert not await POLICY.verify(stored, "correct horse batterY")


async def test_a_broken_hash_fits_nothing() -> None:
    """A damaged row lets nobody in."""
    assert not await POLICY.verify("$argon2id$broken", "x")
    assert not await POLICY.verify(None, "no one's password")


def test_an_ipv6_site_counts_as_one_address() -> None:
    """A site has 2**64 addresses, and one allowance."""
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9")
    assert network_of("2001:db8:1:2::1") != network_of("2001:db8:1:3::1")
    assert network_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert network_of("somewhere") == "somewhere"


def test_buckets_do_not_grow_without_end(clock: ManualClock) -> None:
    """Whoever invents names only pushes out the oldest."""
    attempts = Attempts(clock=clock, capacity=1, refill_s=60)
    attempts.take("first")
    assert attempts.wait_s("first") == 60
    for number in range(KEPT_MAX):
        attempts.take(str(number))
    assert attempts.wait_s("first") == 0


@given(st.lists(st.floats(0, 100), max_size=20))
def test_waiting_as_long_as_told_is_always_enough(pauses: list[float]) -> None:
    """Whatever came before: after the told wait an attempt is allowed."""

    async def work() -> None:
        clock = ManualClock()
        attempts = Attempts(clock=clock, capacity=3, refill_s=20)
        for pause in pauses:
            await clock.turn(pause)
            if not attempts.wait_s("a"):
                attempts.take("a")
        await clock.turn(attempts.wait_s("a"))
        assert attempts.wait_s("a") == 0

    asyncio.run(work())


def test_the_wait_is_said_in_words() -> None:
    """Seconds or minutes."""
    assert "45 seconds" in TooManyAttemptsError(45).cure
    assert "5 minutes" in TooManyAttemptsError(300).cure


def test_roles_are_nested_bundles() -> None:
    """A viewer may less than an operator, an operator less than an administrator, who may all."""
    assert Role.VIEWER.permissions < Role.OPERATOR.permissions < Role.ADMINISTRATOR.permissions
    assert Role.ADMINISTRATOR.permissions == frozenset(Permission)
    assert Permission.EXPORT not in Role.VIEWER.permissions
