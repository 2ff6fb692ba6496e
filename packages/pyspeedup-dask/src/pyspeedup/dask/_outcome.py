"""What a call came to, as it is kept by the cluster and travels."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from pyspeedup.concurrent._processes.remote_error import box, unbox
from pyspeedup.core import Batch
from pyspeedup.dask._packing import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Outcome"]


class Outcome:
    """A value or an error, or the values of a batch and the error that cut it short, as bytes.

    Where it was made it also holds on to what it is good to have as long as it is wanted itself: what is
    remembered there for the engine, and the results that it was made from. These stand in the order of who needs
    whom, so that no two can hold each other.
    """

    def __init__(
        self,
        value: Any,
        error: bytes | None,
        seconds: float,
        root: str = "",
        own_seconds: float | None = None,
        *,
        unsendable: bool = False,
    ) -> None:
        """Hold bytes, and the seconds that it took."""
        self.value = value
        self.error = error
        self.seconds = seconds
        self.root = root
        """The call of the program that it was first computed for; to others an error may be an old one."""
        self.own_seconds = own_seconds
        """What a call of the function is known to take by itself, on the mean, where this was made."""
        self.unsendable = unsendable
        """Whether there is a value, which cannot leave the worker."""
        self.holds: tuple[Any, ...] = ()

    @classmethod
    def of(cls, compute: Callable[[], Any], name: str, clock: Callable[[], float]) -> Outcome:
        """Compute, and return what came of it, an error if the value cannot travel."""
        begun = clock()
        computed = False
        try:
            value = compute()
            computed = True
            packed = dumps(value, f"the result of {name}()")
        except BaseException as error:  # noqa: BLE001 -- it is the caller's, whatever it is
            return cls(None, box(error), clock() - begun, unsendable=computed)
        return cls(packed, None, clock() - begun)

    @classmethod
    def of_batch(
        cls, computations: Iterable[Callable[[], Any]], name: str, clock: Callable[[], float]
    ) -> Outcome:
        """Compute one after the other up to the first error, and return what came of them."""
        begun = clock()
        values, error = [], None
        for compute in computations:
            outcome = cls.of(compute, name, clock)
            if outcome.error is not None:
                error = outcome.error
                break
            values.append(outcome.value)
        return cls(pickle.dumps(values), error, clock() - begun)

    @property
    def failed(self) -> bool:
        """Whether it is an error."""
        return self.error is not None

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.error or b"") + len(self.value or b"")

    def fetch(self, token: str = "") -> Any:
        """Return the value, another object each time, or raise the error."""
        if self.error is not None:
            raise unbox(self.error)
        return loads(self.value, token)

    def fetch_batch(self, token: str = "") -> Batch:
        """Return what came of several calls."""
        error = unbox(self.error) if self.error is not None else None
        return Batch(
            [loads(value, token) for value in pickle.loads(self.value)], error, self.seconds
        )

    def fetch_as_batch(self, token: str = "") -> Batch:
        """Return what came of one call as a batch of it."""
        try:
            return Batch([self.fetch(token)], None, self.seconds)
        except BaseException as error:  # noqa: BLE001 -- it is the caller's, whatever it is
            return Batch([], error, self.seconds)

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self.size

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """Travel with the bytes beside the pickle, and without what is held here."""
        aside = self.value is not None and protocol >= 5  # noqa: PLR2004 -- since then it can
        value = pickle.PickleBuffer(self.value) if aside else self.value
        told = (self.seconds, self.root, self.own_seconds, self.unsendable)
        return _arrive, (value, self.error, told)


def _arrive(
    value: Any, error: bytes | None, told: tuple[float, str, float | None, bool]
) -> Outcome:
    seconds, root, own_seconds, unsendable = told
    return Outcome(value, error, seconds, root, own_seconds, unsendable=unsendable)
