"""The public HTTP API: REST, WHEP and WebSockets, every route with its permission (docs/design/api.md)."""

from gateway.api.application import create_api
from gateway.api.ledger import Ledger, open_ledger
from gateway.api.rooms import Rooms

__all__ = ["Ledger", "Rooms", "create_api", "open_ledger"]
