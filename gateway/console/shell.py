"""A page's shell: every file that it loads, so that a phone can keep them and show the page without a network.

The list is read out of the files themselves: style sheets and scripts of the page, then what each module imports. What
is forgotten in a list kept by hand would be missed for the first time in a street without a signal.
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256

_TAG = re.compile(r"<(?:link|script)\b[^>]*?\b(?:href|src)=\"(/static/[^\"]+)\"")
_MAP = re.compile(r"<script type=\"importmap\">(.*?)</script>", re.DOTALL)
_IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']""")
_COMMENT = re.compile(r"/\*.*?\*/|^\s*//[^\n]*", re.DOTALL | re.MULTILINE)
_STATIC = "/static/"


def shell_of(page: str, assets: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the paths (below ``/static/``) of every file that a page (HTML) loads, in order of their names.

    Raises:
        LookupError: a file names one that is not there.
    """
    mapped = _MAP.search(page)
    names: dict[str, str] = json.loads(mapped[1])["imports"] if mapped is not None else {}
    waiting = [found.removeprefix(_STATIC) for found in _TAG.findall(page)]
    found: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        if path not in assets:
            msg = f"no file {path} to keep"
            raise LookupError(msg)
        found.add(path)
        if path.endswith((".js", ".mjs")):
            text = _COMMENT.sub("", assets[path].decode())
            waiting += [_resolved(name, path, names) for name in _IMPORT.findall(text)]
    return tuple(sorted(found))


def shell_script(
    page_path: str, page: str, assets: Mapping[str, bytes], *, headers: Mapping[str, str] | None = None, later: str = ""
) -> bytes:
    """Return what the page's service worker reads: what to keep, and a version that changes with any of it.

    ``headers`` are those of the page: they are kept with it, and another policy is another page. ``later`` is the
    folder of what the page loads only where it needs it: it is kept from then on.
    """
    files = shell_of(page, assets)
    asked = sorted(path for path in assets if later and path.startswith(later) and path not in files)
    digest = sha256(page.encode())
    digest.update(sha256(json.dumps(sorted((headers or {}).items())).encode()).digest())
    for path in (*files, *asked):
        digest.update(sha256(assets[path]).digest())
    told = {
        "version": digest.hexdigest()[:16],
        "files": [page_path, *(f"{_STATIC}{path}" for path in files)],
        "later": [f"{_STATIC}{path}" for path in asked],
    }
    return f"self.SHELL = {json.dumps(told)};\n".encode()


def _resolved(name: str, by: str, names: Mapping[str, str]) -> str:
    """Return the path of an imported module, as a browser finds it."""
    if name in names:
        return names[name].removeprefix(_STATIC)
    for start in sorted((one for one in names if one.endswith("/") and name.startswith(one)), key=len, reverse=True):
        return (names[start] + name.removeprefix(start)).removeprefix(_STATIC)
    parts = by.split("/")[:-1]
    for part in name.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
