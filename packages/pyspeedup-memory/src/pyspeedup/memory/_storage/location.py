"""Where a store lies: one folder a store, whose name gives the store's name back."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

__all__ = ["SUFFIX", "Place", "find_place", "folder_name", "name_in_folder_name", "store_folders"]

SUFFIX = ".pyspeedup"
"""Ends the name of every folder that is a store."""

EMPTY = "%"
"""Stands for the empty name; never made by quoting, where two digits follow a ``%``."""

PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-. ")
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
QUOTED = re.compile(rb"\^(?P<capital>[a-z])|%(?P<byte>[0-9a-f]{2})")
LONGEST = 200
"""Characters; file systems allow 255 bytes, and a longer name is cut and told apart by its hash."""


class Place(NamedTuple):
    """A store's name, the folder that the user named for stores, and the store's own folder there."""

    name: str
    location: Path
    folder: Path

    @property
    def key(self) -> str:
        """The same for every way to spell the same folder."""
        return os.path.normcase(os.path.realpath(self.folder))


def find_place(file_basename: str, file_location: str | os.PathLike[str] | None) -> Place:
    """Return where a store of that name lies, touching nothing, in O(length of the names).

    `file_location` None is ``~/.PySpeedup``, and "" the current folder as it is now. `TypeError` and
    `ValueError` name the argument that does not fit.
    """
    _check_name(file_basename)
    location = _resolve(file_location)
    return Place(file_basename, location, location / folder_name(file_basename))


def _check_name(name: str) -> None:
    if not isinstance(name, str):
        raise TypeError(f"file_basename must be a str, not {name!r}")
    if name == ".." or not {"/", "\\", "\0", os.sep}.isdisjoint(name):
        raise ValueError(
            f"file_basename must be a name without a path separator or NUL, and not '..': {name!r}"
        )


def _resolve(location: str | os.PathLike[str] | None) -> Path:
    if location is None:
        return Path.home() / ".PySpeedup"
    path = os.fspath(location) if isinstance(location, os.PathLike) else location
    if not isinstance(path, str):
        raise TypeError(f"file_location must be a str or a path of str, not {location!r}")
    if "\0" in path:
        raise ValueError(f"file_location must be without NUL: {location!r}")
    return Path(os.path.abspath(path))  # noqa: PTH100 -- Path.absolute keeps "..", and "" is the current folder


def folder_name(name: str) -> str:
    """Return the folder name for a store's name, in O(length). No two names share one.

    Not even where the file system ignores case or changes how a letter is composed: what is not
    plain is quoted. Capitals are written as ``^`` and the small letter.

    >>> folder_name("my words"), folder_name("Über"), folder_name("")
    ('my words.pyspeedup', '%c3%9cber.pyspeedup', '%.pyspeedup')
    """
    quoted = "".join(map(_quote, name)) or EMPTY
    if RESERVED.fullmatch(quoted):
        quoted = f"%{ord(quoted[0]):02x}{quoted[1:]}"
    if len(quoted) > LONGEST:
        import hashlib  # 3 ms, and few names are that long

        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
        quoted = f"{quoted[: LONGEST - 80]}~{digest}"
    return quoted + SUFFIX


def _quote(letter: str) -> str:
    if letter in PLAIN:
        return letter
    if letter.isascii() and letter.isupper():
        return f"^{letter.lower()}"
    return "".join(f"%{byte:02x}" for byte in letter.encode("utf-8", "surrogatepass"))


def name_in_folder_name(folder: str) -> str | None:
    """Return the store's name that `folder_name` made `folder` from; None if it made none or cut it.

    >>> name_in_folder_name(folder_name("Über uns"))
    'Über uns'
    """
    quoted = folder.removesuffix(SUFFIX)
    if quoted == folder or "~" in quoted:
        return None
    if quoted == EMPTY:
        return ""
    try:
        data = QUOTED.sub(_unquote, quoted.encode("ascii"))
        name = data.decode("utf-8", "surrogatepass")
    except UnicodeError:
        return None
    return name if folder_name(name) == folder else None


def _unquote(found: re.Match[bytes]) -> bytes:
    if found["capital"]:
        return found["capital"].upper()
    return bytes([int(found["byte"], 16)])


def store_folders(location: Path) -> list[Path]:
    """Return the folders in `location` that are named like stores, sorted, in O(entries)."""
    return sorted(path for path in location.iterdir() if path.name.endswith(SUFFIX))
