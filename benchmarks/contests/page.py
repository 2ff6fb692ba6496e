"""The figures as a page of the documentation shows them: Markdown, made of the committed results alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contests import report
from contests.figures import busy, ratio
from contests.workload import OURS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contests.figures import Table
    from contests.results import Part
    from contests.subject import Subject
    from contests.workload import Workload


def chapter(subject: Subject, parts: dict[str, Part]) -> str:
    """Return the bars, and the tables of all that was measured."""
    return "\n\n".join(
        ["### What is to hold", bars_table(subject, parts), *_tables(subject, parts)]
    )


def together(subject: Subject, parts: dict[str, Part]) -> dict[str, Table]:
    """Return the tables of all parts, in the order in which workloads are shown."""
    found = {name: table for part in parts.values() for name, table in part.measured.items()}
    return {name: found[name] for name in subject.workloads if name in found}


def bars_table(subject: Subject, parts: dict[str, Part]) -> str:
    """Return each bar with what was found."""
    verdicts = subject.verdicts(together(subject, parts))
    rows = [[bar.figure, bar.found, bar.bar, bar.aim, bar.word] for bar in verdicts]
    return _markdown(["", "ours", "at least", "aim", ""], rows)


def _tables(subject: Subject, parts: dict[str, Part]) -> Iterator[str]:
    by_workload = {name: part for part in parts.values() for name in part.measured}
    for name, table in together(subject, parts).items():
        workload = subject.workloads[name]
        yield f"### {name}: {workload.title}"
        yield _circumstances(by_workload[name], table)
        yield workload_table(workload, table)
        remarks = [
            f"`{peer}` did not do it: {why:.200}."
            for peer, row in table.items()
            for why in row.failures
        ]
        if remarks:
            yield "\n".join(f"- {remark}" for remark in remarks)


def workload_table(workload: Workload, table: Table) -> str:
    """Return a row for each peer; the last column is the first figure in multiples of the limit's."""
    limit = workload.limit if workload.limit in table else ""
    first = next(iter(workload.figures))
    rows = []
    for peer, row in table.items():
        if row.figures or row.failures:
            said = f"**{peer}**" if peer == OURS else peer
            times = [report.short(ratio(table, first, peer, limit))] if limit else []
            rows.append([said, *report.cells(workload, row), *times])
    return _markdown(["", *workload.figures.values(), *([f"x {limit}"] if limit else [])], rows)


def _circumstances(part: Part, table: Table) -> str:
    machine = part.machine
    said = [
        f"CPython {machine['python']}",
        str(machine["system"]),
        f"{machine['cores']} cores ({machine['processor']})",
        f"{part.rounds} round{'s' if part.rounds > 1 else ''}",
        str(machine["day"]),
    ]
    once = [
        peer
        for peer, row in table.items()
        if row.figures and max(map(len, row.figures.values())) < part.rounds and not row.failures
    ]
    said += [f"in the first round only: {', '.join(once)}"] if once else []
    others = busy(table)
    said += [f"others used {others:.1f} cores meanwhile"] if others >= report.DISTURBING else []
    note = f" {part.note}" if part.note else ""
    return f"{'; '.join(said)}.{note}"


def _markdown(header: list[str], rows: Iterable[list[str]]) -> str:
    filled = ([cell.replace("|", "/") or "-" for cell in row] for row in rows)
    lines = [header, ["---", *("--:" for _ in header[1:])], *filled]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
