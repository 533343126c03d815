"""`sightline users`: who may sign in, kept on the machine itself."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from config.settings import Settings
from gateway.access.errors import UserError
from gateway.access.passwords import open_passwords
from gateway.access.people import People, UserChange
from gateway.access.permissions import Role
from gateway.access.service import Access
from gateway.app import database_url
from gateway.audit.events import Action, Actor, AuditEvent
from gateway.audit.trail import Trail, open_trail
from gateway.cli.failures import plainly
from gateway.cli.options import ConfigFile, settings_of
from gateway.db.engine import Database, open_database
from gateway.db.factors import FactorRows
from gateway.db.users import UserRow
from gateway.startup import prepare_data_dir
from kernel.clock import SystemClock, utc

users = typer.Typer(no_args_is_help=True, help="Keep the people who may sign in.")

Username = Annotated[str, typer.Argument(help="User name.")]
ME = Actor(id="console", name="sightline command", address="")
T = TypeVar("T")


@users.command("list")
def list_users(config: ConfigFile = None) -> None:
    """List users."""

    async def work(room: "_Room") -> list[UserRow]:
        return await room.people.users()

    found = _in_room(config, work)
    table = Table("user", "name", "role", "state", "last sign-in")
    for user in found:
        seen = f"{utc(user.signed_in_ns):%Y-%m-%d %H:%M} UTC" if user.signed_in_ns else "never"
        table.add_row(user.username, user.name, user.role, "disabled" if user.disabled else "active", seen)
    Console().print(table if found else "There are no users yet; start Sightline for a one-time code.")


@users.command()
def add(
    username: Username,
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.OPERATOR,
    name: Annotated[str, typer.Option(help="Name as others see it.")] = "",
    config: ConfigFile = None,
) -> None:
    """Add a user; asks for the password."""
    password = _ask_password()

    async def work(room: "_Room") -> None:
        user = await room.people.add(username=username, name=name, role=role, password=password)
        await room.note(Action.USER_ADDED, user, {"username": user.username, "role": user.role})

    _in_room(config, work)
    typer.echo(f"{username} can sign in.")


@users.command("reset-password")
def reset_password(username: Username, config: ConfigFile = None) -> None:
    """Give a user a new password; asks for it. Their sessions end."""
    password = _ask_password()
    _change(config, username, UserChange(password=password), {"password": True})
    typer.echo(f"{username} has a new password.")


@users.command()
def disable(username: Username, config: ConfigFile = None) -> None:
    """Keep a user from signing in. Their sessions end."""
    _change(config, username, UserChange(disabled=True), {"disabled": True})
    typer.echo(f"{username} can no longer sign in.")


@users.command()
def enable(username: Username, config: ConfigFile = None) -> None:
    """Let a disabled user sign in again."""
    _change(config, username, UserChange(disabled=False), {"disabled": False})
    typer.echo(f"{username} can sign in again.")


@users.command("set-role")
def set_role(username: Username, role: Annotated[Role, typer.Argument()], config: ConfigFile = None) -> None:
    """Change what a user may do. Their sessions end."""
    _change(config, username, UserChange(role=role), {"role": role.value})
    typer.echo(f"{username} is {role.value}.")


@users.command()
def remove(
    username: Username,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002 - an option
    config: ConfigFile = None,
) -> None:
    """Remove a user. What they did stays in the audit."""
    if not yes:
        typer.confirm(f"Remove {username}?", abort=True)

    async def work(room: "_Room") -> None:
        user = await room.people.remove((await room.people.named(username)).id)
        await room.note(Action.USER_REMOVED, user, {"username": user.username})

    _in_room(config, work)
    typer.echo(f"{username} is removed.")


@users.command("reset-factors")
def reset_factors(username: Username, config: ConfigFile = None) -> None:
    """Remove the passkeys, authenticator app and recovery codes of somebody who has lost them. Their sessions end."""

    async def work(room: "_Room") -> None:
        user = await room.people.named(username)
        async with room.database.write() as connection:
            await FactorRows(connection).remove_all(user.id)
        await room.access.end_sessions_of(user.id)
        await room.note(Action.FACTOR_REMOVED, user, {"factor": "all", "username": user.username})

    _in_room(config, work)
    typer.echo(f"{username} signs in with the password alone.")


@users.command()
def code(
    username: Annotated[str | None, typer.Argument(help="For whom; without it, for the first administrator.")] = None,
    config: ConfigFile = None,
) -> None:
    """Print a one-time code.

    It makes the first administrator, or signs the named user in once.
    """

    async def work(room: "_Room") -> str:
        if username is None:
            return await room.access.new_setup_code()
        user = await room.people.named(username)
        if user.disabled:
            raise UserError(f"{username} is disabled.", cure=f"Run `sightline users enable {username}` first.")
        fresh = await room.access.new_sign_in_code(user.id)
        await room.note(Action.CODE_ISSUED, user, {"username": user.username})
        return fresh

    typer.echo(_in_room(config, work))


class _Room:
    """What these commands work with."""

    def __init__(self, database: Database, access: Access, people: People, trail: Trail) -> None:
        self.database = database
        self.access = access
        self.people = people
        self.trail = trail

    async def note(self, action: Action, user: UserRow, details: dict[str, str | int | bool | None]) -> None:
        await self.trail.append(AuditEvent(action=action, actor=ME, subject=user.id, details=details))


def _change(config: ConfigFile, username: str, change: UserChange, details: dict[str, str | int | bool | None]) -> None:
    async def work(room: _Room) -> None:
        user = await room.people.change((await room.people.named(username)).id, change)
        await room.note(Action.USER_CHANGED, user, {"username": user.username, **details})

    _in_room(config, work)


def _in_room(config: ConfigFile, work: Callable[[_Room], Awaitable[T]]) -> T:
    with plainly():
        settings = settings_of(config)
        return asyncio.run(_work(settings, work))
    raise AssertionError


async def _work(settings: Settings, work: Callable[[_Room], Awaitable[T]]) -> T:
    clock = SystemClock()
    await asyncio.to_thread(prepare_data_dir, settings.server.data_dir)
    async with open_database(database_url(settings)) as database, open_trail(database, clock=clock) as trail:
        passwords = await open_passwords(settings.access)
        access = Access(database, clock=clock, settings=settings.access)
        people = People(database, clock=clock, settings=settings.access, passwords=passwords, access=access)
        return await work(_Room(database, access, people, trail))


def _ask_password() -> str:
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
