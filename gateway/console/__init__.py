"""The browser's side: the control-room pages, served as they are (docs/design/console.md)."""

from gateway.console.routes import console_routes

__all__ = ["console_routes"]
