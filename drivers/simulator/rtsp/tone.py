"""What a simulated microphone hears: a tone over a little noise, the same at every run."""

import math
import random
from functools import cache

from kernel.media import AudioCodec

RATE_HZ = 8000
PACKET_SAMPLES = 320
"""40 ms."""
_PERIOD_S = 1


@cache
def packets(codec: AudioCodec) -> tuple[bytes, ...]:
    """Return one second of G.711 in packets of 40 ms, to be played round and round.

    Raises:
        ValueError: the codec is not a G.711 law.
    """
    if codec is AudioCodec.PCMU:
        encode = mu_law
    elif codec is AudioCodec.PCMA:
        encode = a_law
    else:
        raise ValueError(f"A simulated camera speaks G.711 only, not {codec}.")
    rng = random.Random(440)  # noqa: S311 - noise, not a secret
    samples = [
        round(6000 * math.sin(2 * math.pi * 440 * n / RATE_HZ) + rng.gauss(0, 150)) for n in range(RATE_HZ * _PERIOD_S)
    ]
    coded = bytes(encode(sample) for sample in samples)
    return tuple(coded[at : at + PACKET_SAMPLES] for at in range(0, len(coded), PACKET_SAMPLES))


def mu_law(sample: int) -> int:
    """Return one 16-bit sample in mu-law (ITU-T G.711)."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32_635) + 132
    exponent = magnitude.bit_length() - 8
    mantissa = magnitude >> exponent + 3 & 0x0F
    return ~(sign | exponent << 4 | mantissa) & 0xFF


def a_law(sample: int) -> int:
    """Return one 16-bit sample in A-law (ITU-T G.711)."""
    sign = 0x80 if sample >= 0 else 0
    magnitude = min(sample if sample >= 0 else -sample - 1, 32_767) >> 3
    exponent = max(0, magnitude.bit_length() - 5)
    mantissa = magnitude >> max(1, exponent) & 0x0F
    return (sign | exponent << 4 | mantissa) ^ 0x55
