"""The file that makes a folder a store: which page store wrote it, and whether it is finished."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspeedup.core import StoreCorruptedError
from pyspeedup.memory._platform import replace_file
from pyspeedup.memory._storage.header import require_readable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["JOURNAL_FILE", "LOCK_FILE", "MARKER_FILE", "Marker", "read_marker", "write_marker"]

MARKER_FILE = "pyspeedup.json"
LOCK_FILE = "lock"
JOURNAL_FILE = "pyspeedup.journal"
FORMAT = 1


class Marker(NamedTuple):
    """What can be known of a store without opening its pages."""

    identity: str
    name: str
    kind: str
    page_store: str
    ready: bool = False
    format: int = FORMAT

    def finished(self) -> Marker:
        """Return the marker of the store once its first commit is there."""
        return self._replace(ready=True)


def write_marker(folder: Path, marker: Marker) -> None:
    """Put `marker` into `folder`: after a crash there is the old one or the new one."""
    fields = marker._asdict()
    text = json.dumps({**fields, "checksum": _checksum(fields)}, indent=2)
    replace_file(folder / MARKER_FILE, text.encode() + b"\n")


def read_marker(folder: Path) -> Marker | None:
    """Return the marker of `folder`, None where there is none; `StoreCorruptedError` for damage."""
    try:
        data = (folder / MARKER_FILE).read_bytes()
    except FileNotFoundError:
        return None
    try:
        fields = json.loads(data)
        checksum = fields.pop("checksum")
        version = int(fields["format"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreCorruptedError(f"{folder}: {MARKER_FILE} is damaged: {error!r}") from error
    if checksum != _checksum(fields):
        raise StoreCorruptedError(f"{folder}: the checksum in {MARKER_FILE} does not match")
    require_readable(version, FORMAT, str(folder))
    return Marker(**fields)


def _checksum(fields: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(fields, sort_keys=True).encode())
