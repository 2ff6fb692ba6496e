"""What is told about the machine beside its figures: enough to judge them, and nothing that names it."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.metadata
import os
import platform
import sqlite3

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


def facts() -> dict[str, object]:
    """Return kind and size of the machine, and the versions of what took part."""
    versions = {"sqlite": sqlite3.sqlite_version}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "day": dt.datetime.now(dt.UTC).date().isoformat(),
        "versions": versions,
    }
