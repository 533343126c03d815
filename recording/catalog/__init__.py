"""The catalog of one disk: which files and fragments are there, what is missing and why, what is held.

SQLite beside the media, so that a disk carried to another machine brings its catalog along; everything about the
media itself can be made again from the files. Nothing here may run on the event loop.
"""

from recording.catalog.connection import Catalog

__all__ = ["Catalog"]
