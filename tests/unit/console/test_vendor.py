"""The browser modules that are kept in the repository."""

import json
from pathlib import Path

import pytest

from gateway.console import vendor
from gateway.console.policy import STATIC


def test_vendored_files_are_what_the_manifest_says() -> None:
    """Nobody has edited a vendored file, added one or lost one."""
    assert vendor.check() == []


def test_vendored_versions_are_those_of_package_json() -> None:
    """The manifest and package.json name the same versions of what both name."""
    wanted = json.loads((vendor.ROOT / "package.json").read_text())["devDependencies"]
    kept = {
        each["name"]: each["version"] for each in json.loads((vendor.VENDOR / vendor.MANIFEST).read_text())["modules"]
    }
    assert {name: kept[name] for name in kept.keys() & wanted.keys()} == {
        name: wanted[name] for name in ("lit", "leaflet", "hls.js", "zxing-wasm")
    }


def test_every_vendored_module_has_its_licence() -> None:
    """Each module comes with a licence name and its text."""
    for module in json.loads((vendor.VENDOR / vendor.MANIFEST).read_text())["modules"]:
        assert module["licence"]
        assert any(path.endswith("/LICENSE") for path in module["files"])


def test_lock_names_no_index() -> None:
    """package-lock.json carries versions and integrity, and no address of a registry."""
    lock = json.loads((vendor.ROOT / "package-lock.json").read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    assert all("integrity" in package for name, package in lock["packages"].items() if name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A vendor folder with one module, checked."""
    modules = tmp_path / "node_modules" / "thing"
    (modules / "dist").mkdir(parents=True)
    (modules / "package.json").write_text('{"name": "thing", "version": "1.2.3", "license": "MIT"}')
    (modules / "dist" / "thing.js").write_text("export {};\n")
    (modules / "LICENSE").write_text("Be kind.\n")
    folder = tmp_path / "vendor"
    versions = vendor.copy_from(tmp_path / "node_modules", folder, {"thing": ("dist/thing.js",)})
    (folder / vendor.MANIFEST).write_text(json.dumps(vendor.manifest_of(folder, versions)))
    assert vendor.check(folder) == []
    return folder


def test_an_edited_file_is_noticed(folder: Path) -> None:
    """A changed byte is told with the file's name."""
    (folder / "thing" / "thing.js").write_text("export default 1;\n")
    assert [problem.split()[0] for problem in vendor.check(folder)] == ["thing/thing.js"]


def test_a_missing_and_an_added_file_are_noticed(folder: Path) -> None:
    """Both directions are compared."""
    (folder / "thing" / "LICENSE").rename(folder / "thing" / "LICENCE")
    assert len(vendor.check(folder)) == 2


def test_the_console_imports_only_what_is_kept() -> None:
    """Every bare import in our modules is in the import map, and every file that the map names is there."""
    text = (STATIC / "index.html").read_text()
    imports = json.loads(text.split('<script type="importmap">')[1].split("</script>")[0])["imports"]
    for target in imports.values():
        path = STATIC / target.removeprefix("/static/")
        assert path.is_dir() if target.endswith("/") else path.is_file()
    for module in (STATIC / "app").rglob("*.js"):
        for line in module.read_text().splitlines():
            if line.startswith("import ") and '"' in line:
                wanted = line.split('"')[1]
                known = wanted.startswith(".") or any(
                    wanted == name or (name.endswith("/") and wanted.startswith(name)) for name in imports
                )
                assert known, f"{module.name} imports {wanted}"
