"""A password alone does not let in who has a second factor."""

import pyotp
import pytest
from sqlalchemy import select

from gateway.access.entrance import Opened, SecondDue
from gateway.access.errors import CredentialsError, FactorError, NoPasskeysError, TooManyAttemptsError
from gateway.access.identity import Identity
from gateway.access.passkeys import Site
from gateway.access.permissions import Permission
from gateway.access.proofs import PasskeyProof, PasswordProof, RecoveryProof, TotpProof
from gateway.db.tables import totp as totp_table
from kernel.clock import NS_PER_S
from tests.fakes.authenticator import Authenticator
from tests.unit.access.conftest import HERE, SITE, Door, DoorWith, visitor

STEP_S = 30


def code_of(door: Door, secret: str, *, steps: int = 0) -> str:
    """Return what the application shows, so many steps from now."""
    return pyotp.TOTP(secret).at(door.clock.wall_ns() // NS_PER_S + steps * STEP_S)


async def with_totp(door: Door) -> tuple[Identity, str, list[str]]:
    """Add Ann with an application; return her session, the secret, and her recovery codes."""
    await door.add()
    who, _ = await door.sign_in()
    offer = await door.factors.begin_totp(who, address=HERE)
    codes = await door.factors.add_totp(who, offer.ticket, code_of(door, offer.secret), address=HERE)
    await door.clock.turn(STEP_S)
    return who, offer.secret, codes


async def with_passkey(door: Door) -> tuple[Identity, Authenticator]:
    """Add Ann with a passkey."""
    await door.add()
    who, _ = await door.sign_in()
    key = Authenticator(origin=SITE.origin)
    ticket, options = await door.factors.begin_passkey(who, SITE, address=HERE)
    await door.factors.add_passkey(who, ticket, key.create(options), site=SITE, name="Desk", address=HERE)
    return who, key


async def due(door: Door) -> SecondDue:
    """Give Ann's password and expect to be asked for more."""
    result = await door.begin()
    assert isinstance(result, SecondDue)
    return result


async def test_a_code_completes_the_sign_in(door: Door) -> None:
    """Password, then the code: the session says both."""
    _, secret, _ = await with_totp(door)
    asked = await due(door)
    assert asked.methods == ("totp", "recovery")
    opened = await door.entrance.second(asked.ticket, TotpProof(code=code_of(door, secret)), visitor=visitor())
    assert opened.identity.methods == ("password", "totp")


@pytest.mark.parametrize("steps", [-2, -1, 0, 1, 2])
async def test_a_clock_may_be_off_by_a_step(door: Door, steps: int) -> None:
    """One of 30 s either way, and no more."""
    who, secret, _ = await with_totp(door)
    await door.clock.turn(10 * STEP_S)
    assert await door.factors.check_totp(who.user_id, code_of(door, secret, steps=steps)) is (abs(steps) <= 1)


async def test_a_code_works_once(door: Door) -> None:
    """Who looked over a shoulder cannot use it again, nor the one before it."""
    who, secret, _ = await with_totp(door)
    await door.clock.turn(5 * STEP_S)
    now, before = code_of(door, secret), code_of(door, secret, steps=-1)
    assert await door.factors.check_totp(who.user_id, now)
    assert not await door.factors.check_totp(who.user_id, now)
    assert not await door.factors.check_totp(who.user_id, before)


async def test_the_first_code_is_used_up_by_the_enrolment(door: Door) -> None:
    """It cannot sign in as well."""
    await door.add()
    who, _ = await door.sign_in()
    offer = await door.factors.begin_totp(who, address=HERE)
    code = code_of(door, offer.secret)
    await door.factors.add_totp(who, offer.ticket, code, address=HERE)
    assert not await door.factors.check_totp(who.user_id, code)


async def test_the_secret_is_sealed_in_the_database(door: Door) -> None:
    """A copied database shows no codes."""
    _, secret, _ = await with_totp(door)
    async with door.database.read() as connection:
        stored = str((await connection.execute(select(totp_table))).all())
    assert secret not in stored
    assert pyotp.TOTP(secret).byte_secret().hex() not in stored


async def test_nothing_is_stored_before_the_first_code(door: Door) -> None:
    """A secret that no application took locks nobody out."""
    await door.add()
    who, _ = await door.sign_in()
    offer = await door.factors.begin_totp(who, address=HERE)
    with pytest.raises(CredentialsError, match="not the code"):
        await door.factors.add_totp(who, offer.ticket, "000000x", address=HERE)
    assert isinstance(await door.begin(), Opened)


async def test_a_recovery_code_stands_in_once(door: Door) -> None:
    """However it is typed; afterwards there are nine."""
    who, _, codes = await with_totp(door)
    assert len(set(codes)) == 10
    typed = f" {codes[0].lower().replace('-', ' ')} "
    opened = await door.entrance.second((await due(door)).ticket, RecoveryProof(code=typed), visitor=visitor())
    assert opened.identity.methods == ("password", "recovery")
    assert (await door.factors.of(who.user_id)).recovery_left == 9
    with pytest.raises(CredentialsError):
        await door.entrance.second((await due(door)).ticket, RecoveryProof(code=codes[0]), visitor=visitor())


async def test_new_recovery_codes_end_the_old(door: Door) -> None:
    """Those on the lost paper open nothing."""
    who, _, old = await with_totp(door)
    new = await door.factors.new_recovery(who.user_id)
    assert not await door.factors.check_recovery(who.user_id, old[0])
    assert await door.factors.check_recovery(who.user_id, new[0])


async def test_recovery_codes_need_something_to_stand_in_for(door: Door) -> None:
    """Without a factor there are none."""
    user = await door.add()
    with pytest.raises(FactorError):
        await door.factors.new_recovery(user.id)


async def test_a_passkey_completes_the_sign_in(door: Door) -> None:
    """The browser is asked for this person's passkeys."""
    _, key = await with_passkey(door)
    asked = await due(door)
    assert asked.options is not None
    assert len(asked.options["allowCredentials"]) == 1
    proof = PasskeyProof(credential=key.get(asked.options))
    opened = await door.entrance.second(asked.ticket, proof, visitor=visitor())
    assert opened.identity.methods == ("password", "passkey")


async def sign_in_with(door: Door, key: Authenticator, *, site: Site = SITE) -> Opened:
    """Sign in with a passkey alone."""
    ticket, options = door.entrance.passkey_challenge(visitor(site=site))
    proof = PasskeyProof(credential=key.get(options), ticket=ticket)
    return await door.entrance.sign_in_with_passkey(proof, visitor=visitor(site=site))


async def test_a_passkey_alone_signs_in(door: Door) -> None:
    """Nobody types a name."""
    who, key = await with_passkey(door)
    opened = await sign_in_with(door, key)
    assert (opened.identity.user_id, opened.identity.methods) == (who.user_id, ("passkey",))


async def test_who_did_not_touch_the_reader_is_not_let_in(door: Door) -> None:
    """An authenticator that has not verified its user is one factor, not two."""
    _, key = await with_passkey(door)
    key.verified = False
    with pytest.raises(CredentialsError):
        await sign_in_with(door, key)


async def test_a_copied_authenticator_is_refused(door: Door) -> None:
    """Its counter is behind that of the one that was used since."""
    _, key = await with_passkey(door)
    await sign_in_with(door, key)
    key.count = 1
    with pytest.raises(CredentialsError):
        await sign_in_with(door, key)


async def test_another_sites_page_cannot_use_a_passkey(door: Door) -> None:
    """What a look-alike relays names the look-alike as its origin."""
    _, key = await with_passkey(door)
    key.origin = "https://cctv.example.com:8443"
    with pytest.raises(CredentialsError):
        await sign_in_with(door, key)


async def test_a_passkey_of_another_name_of_ours_is_not_taken(door: Door) -> None:
    """It belongs to the host name at which it was made."""
    _, key = await with_passkey(door)
    elsewhere = Site(rp_id="cctv", origin="https://cctv:8443")
    key.origin = elsewhere.origin
    with pytest.raises(CredentialsError):
        await sign_in_with(door, key, site=elsewhere)


async def test_a_passkey_must_say_whose_it_is_rightly(door: Door) -> None:
    """A credential under another user's handle is refused."""
    _, key = await with_passkey(door)
    key.handle = "somebody else"
    with pytest.raises(CredentialsError):
        await sign_in_with(door, key)


async def test_an_answer_works_once(door: Door) -> None:
    """The challenge is used up."""
    _, key = await with_passkey(door)
    ticket, options = door.entrance.passkey_challenge(visitor())
    proof = PasskeyProof(credential=key.get(options), ticket=ticket)
    await door.entrance.sign_in_with_passkey(proof, visitor=visitor())
    with pytest.raises(CredentialsError, match="too long"):
        await door.entrance.sign_in_with_passkey(proof, visitor=visitor())


@pytest.mark.parametrize("nonsense", [{}, {"id": 7}, {"id": "x", "response": []}, {"response": {"userHandle": "!"}}])
async def test_nonsense_is_refused(door: Door, nonsense: dict[str, object]) -> None:
    """Whatever is sent in place of a passkey's answer is a failed attempt, not an error of ours."""
    _, key = await with_passkey(door)
    own = key.get((await due(door)).options or {})
    ticket, _ = door.entrance.passkey_challenge(visitor())
    for credential in (nonsense, {**own, **nonsense}):
        with pytest.raises(CredentialsError):
            await door.entrance.sign_in_with_passkey(
                PasskeyProof(credential=dict(credential), ticket=ticket), visitor=visitor()
            )
        ticket, _ = door.entrance.passkey_challenge(visitor())


async def test_no_passkeys_at_an_ip_address(door: Door) -> None:
    """Browsers do not take one there, and it is said."""
    with pytest.raises(NoPasskeysError):
        door.entrance.passkey_challenge(visitor(site=None))


async def test_anothers_passkey_does_not_complete_a_sign_in(door: Door) -> None:
    """Bob's password and Ann's passkey are nobody."""
    _, annes = await with_passkey(door)
    await door.add("bob")
    bob, _ = await door.sign_in("bob")
    own = Authenticator(origin=SITE.origin)
    ticket, options = await door.factors.begin_passkey(bob, SITE, address=HERE)
    await door.factors.add_passkey(bob, ticket, own.create(options), site=SITE, name="Own", address=HERE)
    asked = await door.begin("bob")
    assert isinstance(asked, SecondDue)
    proof = PasskeyProof(credential=annes.get(asked.options or {}))
    with pytest.raises(CredentialsError):
        await door.entrance.second(asked.ticket, proof, visitor=visitor())


async def test_a_ticket_is_for_its_address_and_a_short_time(door: Door) -> None:
    """Carried elsewhere, or kept, it opens nothing; the right code was not used up by that."""
    _, secret, _ = await with_totp(door)
    asked = await due(door)
    with pytest.raises(CredentialsError, match="too long"):
        await door.entrance.second(asked.ticket, TotpProof(code=code_of(door, secret)), visitor=visitor("192.0.2.99"))
    await door.clock.turn(301)
    with pytest.raises(CredentialsError, match="too long"):
        await door.entrance.second(asked.ticket, TotpProof(code=code_of(door, secret)), visitor=visitor())


async def test_codes_cannot_be_guessed_by_who_knows_the_password(door: Door) -> None:
    """A ticket has five tries; new tickets do not bring the account's attempts back."""
    _, secret, _ = await with_totp(door)
    for _ in range(2):
        asked = await due(door)
        for _ in range(5):
            with pytest.raises(CredentialsError, match="not right"):
                await door.entrance.second(asked.ticket, TotpProof(code="1234567"), visitor=visitor())
        with pytest.raises(CredentialsError, match="too long"):
            await door.entrance.second(asked.ticket, TotpProof(code=code_of(door, secret)), visitor=visitor())
    asked = await due(door)
    with pytest.raises(TooManyAttemptsError) as caught:
        await door.entrance.second(asked.ticket, TotpProof(code=code_of(door, secret)), visitor=visitor())
    assert caught.value.retry_after_s > door.settings.account_refill_s


async def test_confirming_makes_a_session_fresh_again(door: Door) -> None:
    """After half an hour a sharp act is not let through; a proof lets it through again."""
    await door.add()
    who, secret = await door.sign_in()
    assert who.confirmed
    await door.clock.turn(door.settings.confirm_valid_s)
    await door.access.touched(who.session)
    assert not (await door.access.of_session(secret)).confirmed
    await door.entrance.confirm(who, PasswordProof(password="four unrelated words here"), visitor=visitor())
    assert (await door.access.of_session(secret)).confirmed


async def test_a_passkey_confirms_only_in_its_own_session(door: Door) -> None:
    """A challenge that was given to one session does for no other."""
    who, key = await with_passkey(door)
    other = (await sign_in_with(door, key)).identity
    ticket, options = await door.entrance.confirm_challenge(who, visitor())
    with pytest.raises(CredentialsError):
        await door.entrance.confirm(other, PasskeyProof(credential=key.get(options), ticket=ticket), visitor=visitor())
    ticket, options = await door.entrance.confirm_challenge(who, visitor())
    proof = PasskeyProof(credential=key.get(options), ticket=ticket)
    assert await door.entrance.confirm(who, proof, visitor=visitor()) == "passkey"


async def test_required_means_first_of_all(door_with: DoorWith) -> None:
    """Who has no factor may only enrol one; having done so, everything of theirs is open."""
    door = await door_with(second_factor="required")
    await door.add()
    who, secret = await door.sign_in()
    assert who.enrol_due
    assert who.ceiling == {Permission.SIGNED_IN}
    offer = await door.factors.begin_totp(who, address=HERE)
    await door.factors.add_totp(who, offer.ticket, code_of(door, offer.secret), address=HERE)
    await door.access.confirmed(who.session, "totp")
    after = await door.access.of_session(secret)
    assert not after.enrol_due
    assert Permission.STEER in after.ceiling


async def test_the_last_factor_stays_where_one_is_required(door_with: DoorWith) -> None:
    """Another one has to be there before it goes."""
    door = await door_with(second_factor="required")
    who, _, _ = await with_totp(door)
    with pytest.raises(FactorError):
        await door.factors.remove_totp(who)
    assert (await door.factors.of(who.user_id)).totp_since_ns is not None


async def test_where_factors_are_offered_the_last_one_may_go(door: Door) -> None:
    """The recovery codes go with it, and the password is enough again."""
    who, _, _ = await with_totp(door)
    await door.factors.remove_totp(who)
    assert (await door.factors.of(who.user_id)).recovery_left == 0
    assert isinstance(await door.begin(), Opened)
