"""`python -m gateway.transcoder`: H.265 in on standard input, H.264 out on standard output, until the input ends."""

from gateway.transcoder.framing import Coded, KeyframeWish, Parameters
from gateway.transcoder.pipes import Pipes, run
from gateway.transcoder.recoder import Recoder
from kernel.clock import Clock, SystemClock


def serve(pipes: Pipes, clock: Clock) -> None:
    """Code until the input ends. What is not of this program's wire is passed over."""
    recoder = Recoder(clock, pipes.waiting)
    while (message := pipes.read()) is not None:
        if isinstance(message, Parameters):
            recoder.take_parameters(message)
        elif isinstance(message, KeyframeWish):
            recoder.want_keyframe()
        elif isinstance(message, Coded):
            for made in recoder.take(message):
                pipes.write(made)


def main() -> None:
    """Confine ourselves, then serve."""
    run(lambda pipes: serve(pipes, SystemClock()))


if __name__ == "__main__":
    main()
