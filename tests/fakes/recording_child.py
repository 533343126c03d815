"""A process that records as the product does, in real time and with its own clock, until somebody kills it.

``python -m tests.fakes.recording_child DIRECTORY CAMERA GOP_FRAMES``: every picture handed to the recorder is told on
standard output, as its wall time in nanoseconds, before the recorder gets it.
"""

import asyncio
import sys
from pathlib import Path

from config.recording import DiskSettings, RecordingSettings
from kernel.clock import NS_PER_S, SystemClock, every
from kernel.ids import CameraId, StreamName
from kernel.media import AccessUnit, StreamDescription, VideoCodec
from recording import open_storage
from tests.fakes.footage import PCMU, coded, sound


async def main(directory: Path, camera: CameraId, gop_frames: int) -> None:
    """Record for ever, with the settings a user has who changed nothing."""
    clock = SystemClock()
    source = coded(gop_frames=gop_frames, gops=1 if gop_frames > 100 else 2)
    settings = RecordingSettings(disks=(DiskSettings(path=directory),))
    async with open_storage(settings, clock=clock) as storage, storage.recorder(camera, StreamName.MAIN) as recorder:
        recorder.started(StreamDescription(video=VideoCodec.H264, audio=PCMU, metadata=False, transport="tcp"))
        began_ns = clock.wall_ns()
        hearing = sound(seconds=3600, start_ns=began_ns)
        async with every(clock, 1 / source.frame_rate) as ticks:
            number = 0
            async for _ in ticks:
                # Every picture whose time has come: a busy machine makes them late, never fewer.
                while (wall_ns := began_ns + number * NS_PER_S // source.frame_rate) <= clock.wall_ns():
                    nals, keyframe = source.pictures[number % len(source.pictures)]
                    sys.stdout.write(f"{wall_ns}\n")
                    sys.stdout.flush()
                    recorder.video(
                        AccessUnit(nals=nals, time_90k=number * 90_000 // source.frame_rate, wall_ns=wall_ns,
                                   keyframe=keyframe, parameters=source.parameters,
                                   received_ns=clock.monotonic_ns())
                    )  # fmt: skip
                    for _ in range(2):
                        recorder.audio(next(hearing))
                    number += 1


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), CameraId(sys.argv[2]), int(sys.argv[3])))
