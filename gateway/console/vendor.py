"""Refresh the browser modules that are kept in the repository: ``python -m gateway.console.vendor``.

package.json and package-lock.json say which versions; npm fetches them into a temporary directory and checks their
integrity; the files named below are copied byte for byte to static/vendor/, with each package's licence, and
static/vendor/manifest.json says what they are. A test compares the files with the manifest.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
VENDOR = Path(__file__).parent / "static" / "vendor"
MANIFEST = "manifest.json"

_DIRECTIVES = ("directive", "directive-helpers", "async-directive")

FILES: dict[str, tuple[str, ...]] = {
    "lit": ("index.js", "directives/repeat.js", "directives/ref.js", "directives/live.js"),
    "lit-html": (
        "lit-html.js",
        "is-server.js",
        *(f"{name}.js" for name in _DIRECTIVES),
        "directives/repeat.js",
        "directives/ref.js",
        "directives/live.js",
    ),
    "lit-element": ("lit-element.js",),
    "@lit/reactive-element": ("reactive-element.js", "css-tag.js"),
    "leaflet": ("dist/leaflet-src.esm.js", "dist/leaflet.css"),
    "hls.js": ("dist/hls.light.min.mjs",),
    "zxing-wasm": ("dist/es/reader/index.js", "dist/es/share.js", "dist/reader/zxing_reader.wasm"),
}
"""Package to the files the console loads. hls.js in its light build: no DRM, subtitles or alternate audio here.

zxing-wasm (ZXing-C++, Apache-2.0, compiled by it) in its reader alone: it reads codes where the browser does not.
"""


def manifest_of(folder: Path, versions: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """Return the manifest for what lies in ``folder``; ``versions`` is package to (version, licence)."""
    return {
        "modules": [
            {
                "name": name,
                "version": version,
                "licence": licence,
                "files": {
                    str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
                    for path in sorted((folder / name).rglob("*"))
                    if path.is_file()
                },
            }
            for name, (version, licence) in sorted(versions.items())
        ]
    }


def check(folder: Path = VENDOR) -> list[str]:
    """Return a sentence for each file in ``folder`` that is not what its manifest says; empty when all is well."""
    said = json.loads((folder / MANIFEST).read_text())
    expected = {path: digest for module in said["modules"] for path, digest in module["files"].items()}
    found = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != MANIFEST
    }
    return [
        *(f"{path} is in the manifest and not in the folder." for path in sorted(expected.keys() - found.keys())),
        *(f"{path} is in the folder and not in the manifest." for path in sorted(found.keys() - expected.keys())),
        *(
            f"{path} differs from the manifest: {found[path]}."
            for path in sorted(found.keys() & expected.keys())
            if found[path] != expected[path]
        ),
    ]


def copy_from(modules: Path, folder: Path, files: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, str]]:
    """Copy ``files`` and each package's licence from node_modules; return package to (version, licence)."""
    versions = {}
    for name, paths in files.items():
        package = json.loads((modules / name / "package.json").read_text())
        versions[name] = (package["version"], package["license"])
        for path in (*paths, "LICENSE"):
            target = folder / name / path.removeprefix("dist/")  # dist/ is ignored by git and by the wheel
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(modules / name / path, target)
    return versions


def refresh(root: Path = ROOT, folder: Path = VENDOR) -> None:
    """Fetch what package-lock.json names and put it in ``folder``, replacing what was there.

    Raises:
        subprocess.CalledProcessError: npm failed; it has said why.
    """
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copyfile(root / name, work / name)
        subprocess.run(["npm", "ci"], cwd=work, check=True)  # noqa: S607 - whichever npm the developer has
        fresh = work / "vendor"
        versions = copy_from(work / "node_modules", fresh, FILES)
        (fresh / MANIFEST).write_text(json.dumps(manifest_of(fresh, versions), indent=1) + "\n")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(fresh, folder)


if __name__ == "__main__":
    refresh()
    problems = check()
    sys.stdout.write("\n".join(problems) or f"{VENDOR.relative_to(ROOT)} is refreshed.\n")
    sys.exit(bool(problems))
