"""The accounts of cameras behind a host without cameras: asked over real ONVIF where there is a simulated camera."""

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

LOOPBACK = AddressPolicy(allow_loopback=True)


class Accounts:
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
            listed = await accounts(wish.target, wish.description, clock=SystemClock(), policy=LOOPBACK)
            told = AccountList(accounts=tuple(AccountModel(name=one.name, level=one.level) for one in listed))
            return Response(rpc.wire(told))

        return await _said(asked())

    async def _password(self, request: Request) -> Response:
        wish = PasswordWish.model_validate_json(await request.body())

        async def told() -> Response:
            password = wish.password.get_secret_value()
            await set_password(wish.target, wish.description, password, clock=SystemClock(), policy=LOOPBACK)
            return Response(status_code=204)

        return await _said(told())


async def _said(work: Awaitable[Response]) -> Response:
    try:
        return await work
    except CameraError as error:
        return answer(problem_of(error))
