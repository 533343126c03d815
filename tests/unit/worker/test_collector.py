"""The cycle collector of a camera host."""

import subprocess
import sys

CHECK = """
import gc
from gateway.worker import calm_collector
calm_collector()
print(gc.isenabled(), gc.get_freeze_count() > 10_000, gc.get_threshold()[0])
"""


def test_what_was_imported_is_looked_at_no_more() -> None:
    """A host's collector stays on, leaves out what stood at the start, and looks at the young after 10,000 of them."""
    told = subprocess.run([sys.executable, "-c", CHECK], check=True, capture_output=True, text=True, timeout=60)
    assert told.stdout.split() == ["True", "True", "10000"]
