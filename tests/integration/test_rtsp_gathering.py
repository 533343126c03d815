"""Larger pieces while nobody watches, over real sockets."""

from tests.fakes.rtsp import pulling, reel_camera, source
from tests.fakes.waiting import until


async def test_what_nobody_watches_comes_in_larger_pieces_and_whole() -> None:
    """The kernel gathers bytes between viewers, and stops with the first of them; no picture is lost on the way."""
    watching = False
    async with (
        reel_camera() as camera,
        pulling(source(camera.url()), keep_payloads=lambda: watching) as (stream, sink),
    ):
        await until(lambda: stream._session is not None and stream._session.connection.woken_at > 1, what="gathering")
        session = stream._session
        assert session is not None
        watching = True
        await until(lambda: session.connection.woken_at == 1, what="the end of it")
        watching = False
        await until(lambda: session.connection.woken_at > 1, what="gathering again")
        sent = [unit.nals for unit in camera.main.sent]
        first = sent.index(sink.units[0].nals)
        await until(lambda: len(sink.units) >= len(sent) - first, what="all that was sent")
        assert [unit.nals for unit in sink.units][: len(sent) - first] == sent[first:]
        assert stream.stats.lost == 0


async def test_the_rest_is_taken_where_a_camera_falls_silent() -> None:
    """A camera that stops sending leaves nothing behind in the kernel, however little it is."""
    async with reel_camera() as camera, pulling(source(camera.url())) as (stream, sink):
        await until(lambda: stream._session is not None and stream._session.connection.woken_at > 1, what="gathering")
        camera.main.silent = True
        sent = [unit.nals for unit in camera.main.sent]
        first = sent.index(sink.units[0].nals)
        await until(lambda: len(sink.units) >= len(sent) - first, what="all that was sent")
