"""What tests share: workers end with the test that began them, and a system that lets nobody write."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from pyspeedup.concurrent.cache import close_shared_engines

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def workers_end_with_the_test(leaves_nothing_behind: None) -> Iterator[None]:
    """End what all Caches share, before it is looked for what is left behind."""
    yield
    close_shared_engines()


@pytest.fixture
def nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have files opened for reading only."""
    really = os.open

    def refusing(path: Any, flags: int, *rest: Any) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied", path)
        return really(path, flags, *rest)

    monkeypatch.setattr(os, "open", refusing)
