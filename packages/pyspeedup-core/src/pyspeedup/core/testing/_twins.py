"""What the machines share: one step taken on a model and on the subject, and the two compared."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from pyspeedup.core.testing import strategies
from pyspeedup.core.testing._running import RunningMachine
from pyspeedup.core.testing._values import change, fresh, innermost, same

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Pair", "TwinMachine"]


@dataclass(frozen=True)
class Pair:
    """One value twice: as the model holds it, and as the subject does."""

    mine: Any
    theirs: Any

    def change(self, item: Any) -> None:
        """Change both in place, as deep inside as something can change."""
        for value in (self.mine, self.theirs):
            mutable = innermost(value)
            if mutable is not None:
                change(mutable, item)


@dataclass(frozen=True)
class _Raised:
    error: Exception

    def __str__(self) -> str:
        return f"the error {self.error!r}"


class TwinMachine(RunningMachine):
    """A structure beside the built-in that it behaves like; `MappingMachine` and others derive."""

    value_strategy: ClassVar[st.SearchStrategy[Any]] = strategies.values()
    page_size: ClassVar[int] = 4
    keeps_changes: ClassVar[bool] = True

    model: Any
    subject: Any
    compares_each_step = True

    def agree(self, operation: Callable[[Any], Any]) -> Any:
        """Run `operation` on the model and on the subject, compare, and return both results.

        They agree if both return the same value (types included) or both raise the same type; an
        error of the subject may be of a subclass. Whatever mutable thing `operation` puts in it
        must make anew (`fresh`), or model and subject would share it.
        """
        expected = _outcome(operation, self.model)
        actual = _outcome(operation, self.subject)
        _require_agreement(expected, actual)
        return Pair(None, None) if isinstance(expected, _Raised) else Pair(expected, actual)

    def compare(self) -> None:
        """Compare all of the contents."""
        raise NotImplementedError

    def check(self, subject: Any) -> None:
        """Assert what must hold inside `subject`; override it. Called after every step."""

    def replace_subject(self, subject: Any) -> None:
        """Go on with `subject`, which is what was there before, opened anew.

        Values that were handed out before are nobody's from here on: changing them changes neither.
        """
        self.subject = subject
        self.model = fresh(self.model)

    @initialize(each_step=st.booleans())
    def choose_when_to_compare(self, each_step: bool) -> None:
        """Read everything after each step, or seldom, so that what is resident stays so."""
        self.compares_each_step = each_step

    # Hypothesis tries the rule with the fewest arguments that comes first in the alphabet far more
    # often than any other: let it be this one, which changes nothing.
    @rule()
    def compare_contents(self) -> None:
        """Compare all of the contents."""
        self.compare()

    @invariant()
    def agrees_with_model(self) -> None:
        """Hold the lengths, the subclass's own check and, in half of the runs, the contents."""
        assert len(self.subject) == len(self.model)
        assert bool(self.subject) == bool(self.model)
        self.check(self.subject)
        if self.compares_each_step:
            self.compare()

    def teardown(self) -> None:
        """Compare once more unless a step failed, and close the subject if it can be closed."""
        try:
            if sys.exc_info()[0] is None:
                self.compare()
        finally:
            try:
                getattr(self.subject, "close", lambda: None)()
            finally:
                super().teardown()


def _outcome(operation: Callable[[Any], Any], target: Any) -> Any:
    try:
        return operation(target)
    except Exception as error:  # noqa: BLE001 -- whatever the model raises is what is expected
        return _Raised(error)


def _require_agreement(expected: Any, actual: Any) -> None:
    cause = actual.error if isinstance(actual, _Raised) else None
    if isinstance(expected, _Raised):
        agreed = isinstance(cause, type(expected.error))
    else:
        agreed = cause is None and same(expected, actual)
    if not agreed:
        raise AssertionError(f"{actual} where {expected} was expected") from cause
