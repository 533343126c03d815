"""What the house asks of every file and no linter knows: `python -m tests.house`, part of `make check`."""

import re
import subprocess
import sys
from pathlib import Path

LINES_MAX = 400
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
# Spelled in halves so that this file does not hold what it looks for.
REGISTRY_HOSTS = re.compile("|".join(["pythonhosted" + r"\.org", "pypi" + r"\.org", r"registry\." + "npmjs"]))
# Playwright keeps one number for the whole process: the file that is loaded last would set it for all.
PATIENT = "tests/fakes/browser.py"
VENDORED = "gateway/console/static/vendor/"


def tracked() -> list[Path]:
    """Return the files git knows."""
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True).stdout
    return [Path(name) for name in listed.decode().split("\0") if name and Path(name).is_file()]


def complaints(path: Path) -> list[str]:
    """Return what is wrong with one file."""
    found = []
    if FORBIDDEN_NAMES & {part.removesuffix(".py").removesuffix(".js") for part in path.parts}:
        found.append("is named for nothing that lives in it")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return found
    if VENDORED not in str(path):
        lines = text.count("\n")
        if path.suffix in {".py", ".js", ".css"} and lines > LINES_MAX:
            found.append(f"has {lines} lines: two rooms in one")
        if path.name == "__init__.py" and not text.lstrip().startswith('"""'):
            found.append("does not open with its charter")
    if "expect.set" + "_options" in text and str(path) != PATIENT:
        found.append(f"sets how long every page is waited for; {PATIENT} does")
    if REGISTRY_HOSTS.search(text):
        found.append("names a package registry's host")
    return found


def main() -> int:
    """Print every complaint; return 1 where there is one."""
    wrong = [f"{path} {what}" for path in tracked() for what in complaints(path)]
    print("\n".join(wrong) or "house: in order")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
