"""How a benchmark tells what it measured: a readable table, then one JSON line."""

import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Return cores, CPU model and kernel."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {"cores": len(os.sched_getaffinity(0)), "cpu": model, "kernel": platform.release()}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` (0..1) of the sorted values do not exceed (nearest rank)."""
    if not values:
        raise RuntimeError("nothing was measured")
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, round(share * len(ranked) + 0.5) - 1))]


def report(benchmark: str, packages: Sequence[str] = (), **keys: Any) -> None:
    """Print the table, and the JSON line last."""
    shown = {key: round(value, 2) if isinstance(value, float) else value for key, value in keys.items()}
    for key, value in shown.items():
        print(f"{key:>24}  {value}")
    versions = {"python": platform.python_version()} | {name: version(name) for name in ("sightline", *packages)}
    print(json.dumps({"benchmark": benchmark, **shown, "machine": machine(), "versions": versions}))
