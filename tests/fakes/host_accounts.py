"""The accounts of cameras behind a host without cameras: asked over real ONVIF where there is a simulated camera.

A camera at an address that nobody has (RFC 5737) has the account that it is asked by, and takes every password.
"""

from collections.abc import Awaitable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from drivers.addresses import AddressPolicy
from drivers.errors import CameraError
from drivers.onvif import accounts, set_password
from gateway.fleet import rpc
from gateway.fleet.accounts import AccountList, AccountModel, AccountsWish, PasswordWish
from gateway.worker.problems import answer, problem_of
from kernel.clock import SystemClock
from tests.fakes.host_refusals import Refusals

LOOPBACK = AddressPolicy(allow_loopback=True)
NOWHERE = "192.0.2."


class Accounts(Refusals):
    """Routes: what the camera at the wish's address says."""

    def account_routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/accounts", self._accounts, methods=["POST"]),
            Route("/password", self._password, methods=["POST"]),
        ]

    async def _accounts(self, request: Request) -> Response:
        wish = AccountsWish.model_validate_json(await request.body())

        async def asked() -> Response:
            if wish.target.address.startswith(NOWHERE):
                own = AccountModel(name=wish.target.credentials.username, level="Administrator")
                return Response(rpc.wire(AccountList(accounts=(own,))))
            listed = await accounts(wish.target, wish.description, clock=SystemClock(), policy=LOOPBACK)
            told = AccountList(accounts=tuple(AccountModel(name=one.name, level=one.level) for one in listed))
            return Response(rpc.wire(told))

        return await _said(asked())

    async def _password(self, request: Request) -> Response:
        wish = PasswordWish.model_validate_json(await request.body())

        async def told() -> Response:
            password = wish.password.get_secret_value()
            if wish.target.address.startswith(NOWHERE):
                return Response(status_code=204)
            await set_password(wish.target, wish.description, password, clock=SystemClock(), policy=LOOPBACK)
            await self._hold("password")
            return Response(status_code=204)

        return await _said(told())


async def _said(work: Awaitable[Response]) -> Response:
    try:
        return await work
    except CameraError as error:
        return answer(problem_of(error))
