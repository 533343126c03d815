"""Until when the certificate lasts that a camera shows us: what is to be renewed is best known before."""

from functools import lru_cache

from cryptography import x509

from kernel.clock import to_ns


@lru_cache(maxsize=2048)  # every camera's state is told each second
def ends_ns(der: bytes | None) -> int | None:
    """Return when a certificate (DER) ends, in ns since 1970; ``None`` where there is none, or it is not readable.

    It was judged when the connection was made. A camera whose certificate we pinned, or waived the check of, may show
    anything: what says no end has none for us.
    """
    if der is None:
        return None
    try:
        return to_ns(x509.load_der_x509_certificate(der).not_valid_after_utc)
    except ValueError:
        return None
