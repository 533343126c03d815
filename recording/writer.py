"""What a writing thread does: make a file, append a batch, close a file. Order: write, flush, then the catalog."""

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import PurePosixPath

from kernel.clock import utc
from kernel.ids import CameraId, StreamName, new_id
from recording.catalog.files import (
    CLOSED,
    OPEN,
    FileRow,
    FragmentRow,
    append_fragments,
    fragment_row,
    insert_file,
    set_state,
)
from recording.disk import Disk
from recording.mux.fragment import Fragment, SoundClock, pack_fragment, place_sound, ticks_to_ns
from recording.mux.init import Anchor, init_segment

ALLOCATE_BYTES = 16 * 1024 * 1024
"""Blocks are reserved this far ahead."""


class OpenFile:
    """A file that is being written: its place, and how far it has come."""

    def __init__(self, disk: Disk, camera: CameraId, stream: StreamName, first: Fragment) -> None:
        self.disk = disk
        self.id = new_id()
        self.run = first.run
        self.parameters = first.parameters
        self.audio_parameters = first.audio_parameters
        self.base_90k = first.start_90k
        self.start_ns = first.wall_ns
        self.end_90k = first.start_90k
        self.abandoned = False
        """The recorder has moved on: a late write may still land in the file, but nothing is catalogued."""
        self._anchor = Anchor(
            file_id=self.id, camera=camera, stream=stream.value, run=first.run, start_ns=first.wall_ns,
            codec=first.parameters.codec, width=first.parameters.width, height=first.parameters.height,
            time_source=first.time_source,
        )  # fmt: skip
        self.path = path_of(self._anchor)
        self._sound: SoundClock | None = None
        self._descriptor: int | None = None
        self._row = 0
        self._count = 0
        self._size = 0
        self._allocated = 0
        disk.active.add(self.id)

    @property
    def end_ns(self) -> int:
        """Return the wall time at which its last written picture ends."""
        return self.start_ns + ticks_to_ns(self.end_90k - self.base_90k)

    def append(self, batch: Sequence[Fragment]) -> int:
        """Write ``batch`` behind what is there, flush, catalogue; return the bytes written.

        Raises:
            OSError, sqlite3.Error: the disk failed; the file ends at its last whole fragment.
        """
        volume = self.disk.volume
        init = b""
        # Asked of the size, not of the descriptor: a first write that failed is tried again on the same file.
        if self._size == 0:
            init = init_segment(self._anchor, self.parameters, self.audio_parameters)
        if self._descriptor is None:
            self._descriptor = volume.create(self.disk.absolute(self.path))
        offset = self._size + len(init)
        buffer = self.disk.buffer
        buffer.write(init)
        rows: list[FragmentRow] = []
        for fragment in batch:
            if self._sound is None and self.audio_parameters is not None:
                self._sound = place_sound(fragment.audio, self.start_ns, self.audio_parameters)
            header = pack_fragment(fragment, buffer, base_90k=self.base_90k, sequence=self._count + len(rows),
                                   sound=self._sound)  # fmt: skip
            rows.append(fragment_row(self._count + len(rows), offset, header))
            offset += header.size_bytes
        try:
            if offset > self._allocated:
                self._allocated = offset + ALLOCATE_BYTES
                volume.allocate(self._descriptor, self._size, self._allocated - self._size)
            # Views are given back at once: one that an error's traceback held would forbid the buffer's next use.
            with buffer.getbuffer() as whole, whole[: buffer.tell()] as filled:
                volume.write(self._descriptor, filled, self._size)
            volume.sync(self._descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                volume.truncate(self._descriptor, self._size)
            raise
        volume.drop_cache(self._descriptor, self._size, offset - self._size)
        written = offset - self._size
        if not self.abandoned:
            self._catalogue(init, rows)
            last = batch[-1]
            self.end_90k = last.start_90k + last.duration_90k
            self._count += len(rows)
            self._size = offset
        return written

    def abandon(self) -> None:
        """Leave the file as it is; what reached the disk of it is found again at the next start."""
        self.abandoned = True
        self.disk.active.discard(self.id)

    def _catalogue(self, init: bytes, rows: Sequence[FragmentRow]) -> None:
        with self.disk.catalog.write() as db:
            if init:
                anchor = self._anchor
                self._row = insert_file(
                    db,
                    FileRow(0, anchor.file_id, anchor.camera, anchor.stream, anchor.run, self.path,
                            anchor.codec.value, anchor.width, anchor.height, anchor.start_ns, anchor.start_ns,
                            len(init), len(init), hashlib.sha256(init).digest(), OPEN),
                )  # fmt: skip
            append_fragments(db, self._row, rows)

    def close(self) -> None:
        """Give reserved blocks back and state that the file is whole."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            try:
                if not self.abandoned:
                    self.disk.volume.truncate(descriptor, self._size)
                    with self.disk.catalog.write() as db:
                        set_state(db, self._row, CLOSED)
            finally:
                self.disk.volume.close(descriptor)
        self.disk.active.discard(self.id)


def path_of(anchor: Anchor) -> str:
    """Return where a file lies under the owner's directory: by camera, stream and day, readable to a person."""
    began = utc(anchor.start_ns)
    name = f"{began:%H%M%S}-{anchor.file_id}.mp4"
    return str(PurePosixPath("media", anchor.camera, anchor.stream, f"{began:%Y-%m-%d}", name))
