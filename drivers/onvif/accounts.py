"""The accounts that a camera keeps itself (ONVIF Core section 8.4): whose password opens it, and a new one.

One session a call, of no long life: a camera's password is changed once in years, and never while it is steered.
"""

from dataclasses import dataclass

from drivers.addresses import AddressPolicy
from drivers.model import CameraDescription, CameraTarget
from drivers.onvif.catalogue import Service
from drivers.onvif.device import Device, open_device
from kernel.clock import Clock

ADMINISTRATOR = "Administrator"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a camera, and what it may: "Administrator", "Operator", "User", "Anonymous", "Extended"."""

    name: str
    level: str


async def accounts(
    target: CameraTarget, description: CameraDescription, *, clock: Clock, policy: AddressPolicy
) -> tuple[Account, ...]:
    """Return the accounts of a camera. It tells them only to who has the password (GetUsers, READ_SYSTEM_SECRET).

    Raises:
        CameraAuthenticationError: it does not take this password.
        CameraUnreachableError, CameraRefusedAddressError, CameraNotOnvifError, CameraBusyError, CameraAnswerError,
        CameraFaultError: see drivers.errors.
    """
    async with open_device(target, description, clock=clock, policy=policy) as device:
        return await _accounts(device)


async def set_password(
    target: CameraTarget, description: CameraDescription, password: str, *, clock: Clock, policy: AddressPolicy
) -> None:
    """Give the account by which we come another password (SetUser). It may do what it might before.

    Raises:
        CameraFaultError: the camera will not, in an orderly way: nothing has changed.
        CameraAuthenticationError: it does not take the password that we have.
        CameraUnreachableError, CameraAnswerError, CameraNotOnvifError: whether it has changed is not known.
        CameraRefusedAddressError, CameraBusyError: see drivers.errors; nothing has changed.
    """
    name = target.credentials.username
    async with open_device(target, description, clock=clock, policy=policy) as device:
        known = await _accounts(device)
        level = next((one.level for one in known if one.name == name), ADMINISTRATOR)
        told = {"User": [{"Username": name, "Password": password, "UserLevel": level}]}
        await device.caller.call(description.device_url, Service.DEVICE, "SetUser", told)


async def _accounts(device: Device) -> tuple[Account, ...]:
    answer = await device.caller.call(device.locations.device_url, Service.DEVICE, "GetUsers")
    return tuple(Account(one.text("Username"), one.text("UserLevel")) for one in answer.all("User"))
