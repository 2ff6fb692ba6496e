"""What the frame is told of a package: its workloads, its bars, and whatever else differs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contests import bars

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contests.bars import Bar
    from contests.figures import Table
    from contests.workload import Workload
    from verdicts import Verdict

FOLDER = Path(__file__).parent.parent


@dataclass(frozen=True)
class Subject:
    """All that is measured of one package, in the order in which it is shown."""

    name: str
    """As in bench_<name>.py, and in results/<name>.json."""

    workloads: dict[str, Workload]
    bars: list[Bar]

    packages: tuple[str, ...]
    """The distributions whose versions are kept with the figures."""

    parts: dict[str, str]
    """What is measured in one go, and can be repeated: names of workloads with commas between."""

    no_rivals: tuple[str, ...] = ()
    """Who shows a limit, and is not the best peer."""

    @property
    def results(self) -> Path:
        """Where the committed figures are."""
        return FOLDER / "results" / f"{self.name}.json"

    def script(self, what: str) -> Path:
        """Return where a script of this subject is: bench, measure or document."""
        return FOLDER / f"{what}_{self.name}.py"

    def peers(self) -> list[str]:
        """Return the names of all who take part somewhere."""
        every = self.workloads.values()
        return list(dict.fromkeys(name for workload in every for name in workload.peers))

    def verdicts(self, measured: dict[str, Table]) -> Iterator[Verdict]:
        """Yield what each bar says."""
        return bars.verdicts(self.bars, measured, self.no_rivals)
