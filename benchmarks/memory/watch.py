"""Times batches of work, whose preparation and proof are not timed, and watches memory between them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STATUS = Path("/proc/self/status")
SMALLEST = 16
LARGEST = 5_000
"""Items a batch: the least, since some peers do five a second, and the most."""

LONG = 0.05
"""Seconds after which batches grow no more."""

BETWEEN_LOOKS = 0.01
"""Seconds of work between two looks at the memory."""


class WrongAnswerError(Exception):
    """A peer did not do the work, or not as dict or list do it."""


@dataclass
class Timing:
    """How many operations were done, and the seconds they took: on the wall, and of the processor."""

    done: int = 0
    seconds: float = 0.0
    cpu: float = 0.0


@dataclass
class Memory:
    """The most memory of this process, in bytes: all that was resident, and the anonymous part."""

    resident: int = 0
    anonymous: int = 0

    def look(self) -> None:
        """See how much it is now."""
        if STATUS.exists():
            lines = STATUS.read_text(encoding="ascii").splitlines()
            sizes = {name: rest for name, _, rest in (line.partition(":") for line in lines)}
            self.resident = int(sizes["VmHWM"].split()[0]) * 1024
            self.anonymous = max(self.anonymous, int(sizes["RssAnon"].split()[0]) * 1024)


@dataclass
class Watch:
    """A stop watch for one workload, which ends it after `cap` seconds."""

    cap: float
    memory: Memory
    timing: Timing = field(default_factory=Timing)
    _looked: float = 0.0

    def time(self, action: Callable[..., Any], *arguments: Any, operations: int = 0) -> Any:
        """Do `action` on the watch; it counts as so many operations."""
        cpu, start = time.process_time(), time.perf_counter()
        result = action(*arguments)
        self.timing.seconds += time.perf_counter() - start
        self.timing.cpu += time.process_time() - cpu
        self.timing.done += operations
        if self.timing.seconds > self._looked + BETWEEN_LOOKS or not operations:
            self.memory.look()
            self._looked = self.timing.seconds
        return result

    def batches(
        self,
        numbers: Sequence[int],
        prepare: Callable[[int], Any],
        action: Callable[[list[Any]], Any],
        prove: Callable[[Sequence[int], Any], None] = lambda _numbers, _result: None,
        *,
        smallest: int = SMALLEST,
        largest: int = LARGEST,
    ) -> int:
        """Do `action` on batches of what `prepare` makes of `numbers`, until the cap; return how many.

        `prove` gets the numbers of each batch and what the action returned, off the watch.
        """
        place, size = 0, smallest
        while place < len(numbers) and self.timing.seconds < self.cap:
            batch = numbers[place : place + size]
            prepared = list(map(prepare, batch))
            before = self.timing.seconds
            prove(batch, self.time(action, prepared, operations=len(batch)))
            place += len(batch)
            if self.timing.seconds < before + LONG:
                size = min(2 * size, largest)
        return place


def require(what: str, found: object, expected: object) -> None:
    """Raise `WrongAnswerError` unless what was found is what was expected."""
    if found != expected:
        raise WrongAnswerError(f"{what} is {found!r:.60}, not {expected!r:.60}")
