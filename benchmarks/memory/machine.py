"""What is told about the machine beside its figures: enough to judge them, and nothing that names it."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.metadata
import os
import platform
import sqlite3
from pathlib import Path

PACKAGES = (
    "numpy",
    "lmdb",
    "rocksdict",
    "diskcache",
    "sqlitedict",
    "drivelink",
    "sqlitecollections",
    "disklist",
    "pysos",
    "pyspeedup-memory",
)


CPUS, MEMORY = Path("/proc/cpuinfo"), Path("/proc/meminfo")


def facts() -> dict[str, object]:
    """Return kind, size and load of the machine, and the versions of what took part."""
    versions = {"sqlite": sqlite3.sqlite_version}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "processor": _named(CPUS, "model name"),
        "memory": _named(MEMORY, "MemTotal"),
        "load": round(os.getloadavg()[0], 2),
        "day": dt.datetime.now(dt.UTC).date().isoformat(),
        "versions": versions,
    }


def _named(path: Path, name: str) -> str:
    """Return what a file of Linux says of `name`; nothing elsewhere."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(name))
    return next(found, "")
