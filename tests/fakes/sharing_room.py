"""The room of shares by itself, on a database: no gateway, no hosts, keys that are forgotten with it."""

from contextlib import AbstractAsyncContextManager

from config.sharing import SharingSettings
from gateway.db.engine import Database
from gateway.sharing import Doer, Sharing, open_sharing
from gateway.sharing.outlets import Door
from gateway.vault import Key, Vault
from kernel.clock import Clock
from kernel.ids import CameraId
from tests.fakes.keys import Memory
from tests.fakes.outlet_door import OutletDoor

CAMERA, OTHER = CameraId("a" * 32), CameraId("b" * 32)
PERSONAL_DAYS = 30.0
OLGA = Doer(user_id="u-olga", name="Olga", shown="olga", address="192.0.2.9", rule="role:operator", reference="")


def opened(
    database: Database,
    clock: Clock,
    settings: SharingSettings | None = None,
    *,
    door: Door | None = None,
    vault: Vault | None = None,
) -> AbstractAsyncContextManager[Sharing]:
    """Give the room for the time of the block."""
    return open_sharing(
        database,
        clock=clock,
        settings=settings or SharingSettings(),
        personal_days=PERSONAL_DAYS,
        changed=lambda: None,
        vault=vault or Memory(Key.new()).vault,
        door=door or OutletDoor(),
    )
