"""A page store: a folder of files, as a mapping of str to bytes in which one put is atomic."""

from collections.abc import Iterator, MutableMapping
from pathlib import Path
from urllib.parse import quote, unquote


def open_folder(location: str, basename: str) -> "FolderPages":  # noqa: ARG001 -- part of the protocol
    """Return the pages of the store `basename`, which has the folder `location` to itself."""
    return FolderPages(Path(location) / "pages")


class FolderPages(MutableMapping[str, bytes]):
    """Keeps each value in a file that is named after its key; a put replaces the file whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, key: str) -> Path:
        return self.folder / f"{quote(key, safe='').replace('.', '%2E')}.page"

    def __getitem__(self, key: str) -> bytes:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None

    def __setitem__(self, key: str, value: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._path(key).with_suffix(".new")
        unfinished.write_bytes(value)
        unfinished.replace(self._path(key))

    def __delitem__(self, key: str) -> None:
        try:
            self._path(key).unlink()
        except FileNotFoundError:
            raise KeyError(key) from None

    def __iter__(self) -> Iterator[str]:
        names = [path.name for path in self.folder.glob("*.page")]
        return (unquote(name.removesuffix(".page")) for name in names)

    def __len__(self) -> int:
        return len(list(self.folder.glob("*.page")))
