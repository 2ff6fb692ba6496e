"""All workloads, in the order in which they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrency import branching, maps, memos, reading, starts, streams

if TYPE_CHECKING:
    from contests.workload import Workload

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
