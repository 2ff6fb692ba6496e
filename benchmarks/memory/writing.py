"""Writes in batches, on the watch, with the commits that are due in between and the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memory.peer import Peer
    from memory.watch import Watch


def written(
    peer: Peer,
    watch: Watch,
    numbers: Sequence[int],
    prepare: Callable[[int], Any],
    action: Callable[[list[Any]], Any],
    *,
    prove: Callable[[Sequence[int], Any], None] = lambda _numbers, _result: None,
    weight: int = 1,
    **sizes: int,
) -> int:
    """Do what `Watch.batches` does, and commit; return how many were done.

    Each counts as `weight` of the writes after which a commit is due.
    """

    def act(prepared: list[Any]) -> Any:
        result = action(prepared)
        peer.wrote(len(prepared) * weight)
        return result

    done = watch.batches(numbers, prepare, act, prove, **sizes)
    watch.time(peer.commit)
    return done
