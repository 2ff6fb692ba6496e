"""All workloads, in the order in which they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrency import branching, maps, memos, reading, starts, streams

if TYPE_CHECKING:
    from concurrency.workload import Workload

EVERY: dict[str, Workload] = dict(
    sorted(
        {
            **streams.WORKLOADS,
            **reading.WORKLOADS,
            **memos.WORKLOADS,
            **branching.WORKLOADS,
            **maps.WORKLOADS,
            **starts.WORKLOADS,
        }.items()
    )
)


def peers() -> list[str]:
    """Return the names of all who take part somewhere."""
    return list(dict.fromkeys(name for workload in EVERY.values() for name in workload.peers))
