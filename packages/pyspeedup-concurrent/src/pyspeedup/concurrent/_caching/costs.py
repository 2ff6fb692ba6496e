"""What a function's calls cost by themselves, and so whether it pays to tell other processes of them.

To claim a call and to publish what it came to costs some microseconds, so it is done for functions whose calls
take longer, nested calls apart, and for one of unknown cost. A call is judged by itself rather than by the
mean, so that one that was interrupted by the system does not speak for all.
"""

from __future__ import annotations

from typing import Final

__all__ = ["Costs"]

DEAR: Final = 0.000_05
"""Seconds; calls of a cheap function that take longer make it a dear one."""
CHEAP: Final = 0.000_025
"""Seconds; calls of a dear function that take less make it a cheap one."""
SAMPLE: Final = 16
"""So many calls are watched before a function is judged."""
PART: Final = 4
"""A function is dear if at least one call in so many is."""


class Costs:
    """Judges one function by a few of its calls at a time.

    >>> costs = Costs()
    >>> costs.dear, costs.watched
    (True, True)
    >>> any([costs.add(0.000_001) for _ in range(15)]), costs.add(0.000_001)
    (False, True)
    >>> costs.dear, costs.watched
    (False, False)
    >>> costs.sample()
    >>> any([costs.add(0.01) for _ in range(16)])
    False
    >>> costs.dear
    True
    """

    __slots__ = ("_begun", "_dear_ones", "_known", "_seen", "dear", "watched")

    def __init__(self) -> None:
        """Take calls for dear until some have been seen."""
        self.dear = True
        """Whether others are to be told of its calls."""
        self.watched = True
        """Whether the next call is to be measured."""
        self._known = False
        self._begun = self._seen = self._dear_ones = 0

    @classmethod
    def of_no_interest(cls) -> Costs:
        """Return costs that watch nothing, where there is nobody to tell."""
        costs = cls()
        costs.dear = costs.watched = False
        return costs

    @property
    def claims(self) -> bool:
        """Whether the next call is to be claimed."""
        return self.dear and self.watched

    @property
    def proven_dear(self) -> bool:
        """Whether every call is claimed when it begins."""
        return self._known and self.dear

    def begin(self) -> bool:
        """One more call is measured; True if `watched` has changed, for that is enough of them.

        A deep recursion begins many calls before the first one ends.
        """
        self._begun += 1
        if self._begun < SAMPLE or self.proven_dear or not self.watched:
            return False
        self.watched = False
        return True

    def add(self, seconds: float) -> bool:
        """Take a call in that took `seconds` by itself; True if `watched` has changed."""
        self._seen += 1
        self._dear_ones += seconds >= (CHEAP if self.dear else DEAR)
        if self._seen < SAMPLE:
            return False
        self.dear = self._dear_ones * PART >= self._seen
        self._known = True
        self._begun = self._seen = self._dear_ones = 0
        before, self.watched = self.watched, self.dear
        return before != self.watched

    def sample(self) -> None:
        """Watch some calls of a function that was found to be cheap: it may have changed."""
        self.watched = True
        self._begun = 0
