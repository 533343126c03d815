"""Reading parameter sets bit by bit (ITU-T H.264 and H.265, section 9.1 and 9.2)."""

from drivers.rtsp.errors import ParameterSetError

SET_LIMIT_BYTES = 4096


class BitReader:
    """Reads a raw byte sequence payload; every read past its end is a :class:`ParameterSetError`."""

    __slots__ = ("_left", "_value")

    def __init__(self, escaped: bytes) -> None:
        if len(escaped) > SET_LIMIT_BYTES:
            raise ParameterSetError(f"A parameter set of {len(escaped)} bytes is none.")
        payload = escaped.replace(b"\x00\x00\x03", b"\x00\x00")
        self._value = int.from_bytes(payload, "big")
        self._left = len(payload) * 8

    def u(self, bits: int) -> int:
        """Return an unsigned number of ``bits`` bits."""
        if bits > self._left:
            raise ParameterSetError("A parameter set ends too early.")
        self._left -= bits
        return self._value >> self._left & (1 << bits) - 1

    def flag(self) -> bool:
        """Return one bit."""
        return self.u(1) == 1

    def ue(self) -> int:
        """Return an unsigned Exp-Golomb number, at most 2**32 - 2."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > 32:
                raise ParameterSetError("A parameter set holds a number out of range.")
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """Return a signed Exp-Golomb number."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)
