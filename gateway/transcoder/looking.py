"""`python -m gateway.transcoder.looking`: keyframes in on standard input, small grey pictures out, one for each."""

from gateway.transcoder.framing import Look
from gateway.transcoder.grey import look
from gateway.transcoder.pipes import Pipes, run


def serve(pipes: Pipes) -> None:
    """Answer every look until the input ends; what is none is passed over."""
    while (message := pipes.read()) is not None:
        if isinstance(message, Look):
            pipes.write(look(message))


if __name__ == "__main__":
    run(serve)
