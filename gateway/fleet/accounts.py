"""What a host is asked to do with the accounts that a camera keeps itself."""

from pydantic import SecretStr

from drivers.model import CameraDescription, CameraTarget
from gateway.fleet.rpc import Message


class AccountsWish(Message):
    """Tell the accounts of a camera: it tells them only to who has its password, so that this proves one too."""

    target: CameraTarget
    description: CameraDescription


class PasswordWish(AccountsWish):
    """Give the account of ``target`` this password."""

    password: SecretStr


class AccountModel(Message):
    """An account of a camera, and what it may."""

    name: str
    level: str


class AccountList(Message):
    """Accounts of a camera."""

    accounts: tuple[AccountModel, ...]
