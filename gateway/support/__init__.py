"""What somebody far away needs to help: facts about this installation, with nothing secret and nobody named in it."""

from gateway.support.bundle import SupportError, write_bundle
from gateway.support.collect import Part, Site, collect

__all__ = ["Part", "Site", "SupportError", "collect", "write_bundle"]
