"""The figures as a page of the documentation shows them: Markdown, made of the committed results alone."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from memory import bars, report
from memory.figures import NOTHING, OURS, Sized
from memory.report import FLOOR, SINGLE
from memory.sessions import OPEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    from memory.figures import Figures
    from memory.results import Part

    _Cell: TypeAlias = Callable[[Sized], str]

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
"""Between these lines stands what this module makes."""

IN_RAM = ("dict", "list", NOTHING)
MICROSECONDS = {
    "dict": ("insert", "cold_get"),
    "list": ("append", "get_rand"),
}
COSTS_PART = "200k"
COMPARED = {
    "dict": {"dict": "dict", OURS: "DiskDict", "lmdb": "lmdb", "sqlite3": "sqlite3"},
    "list": {"list": "list", OURS: "DiskList"},
}
COSTS = {
    "dict": {
        "insert": "insert all",
        "hot_get": "look up, among 2,000 that are used again and again",
        "cold_get": "look up, anywhere at random, after opening",
        "counter": "add to one of 100,000 counters, most of them seldom",
        "delete_half": "delete every other one",
    },
    "list": {
        "append": "append",
        "iterate": "iterate",
        "get_rand": "read at random",
        "insert_mid": "insert in the middle",
    },
}
"""What is shown where one wants to know whether to take a dict, a list, or something else."""

HUNDRED = 100
"""Above it, digits after the first two are no clutter."""

GROWTH_PART = "10m"
"""The part that holds two sizes of one run, whose ratio is what growth is judged by."""


def with_figures(page: str, made: str) -> str:
    """Return `page` with `made` in place of what stands between the two lines."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{after}"


def chapter(parts: dict[str, Part]) -> str:
    """Return the tables of all that was measured."""
    return "\n\n".join(
        [
            *_rates_of(parts),
            "### How ours grows",
            growth_table(parts),
            *_growth_verdicts(parts),
        ]
    )


def costs_tables(parts: dict[str, Part]) -> str:
    """Return what a few operations cost beside a few peers, in microseconds."""
    return "\n\n".join(
        _costs_table(part.measured[structure][-1], names, COSTS[structure])
        for part in [parts[COSTS_PART]]
        for structure, names in COMPARED.items()
    )


def rates_table(sized: Sized) -> str:
    """Return operations a second; bold is the fastest of those that are on disk."""
    shown = report.floor_last(sized.results)
    names = [FLOOR if name == NOTHING else name for name in shown]
    workloads = dict.fromkeys(
        name for found in shown.values() for name in [*found.done, *found.failures]
    )
    rows = []
    for workload in sorted(workloads, key=SINGLE.__contains__):
        best = _best(sized, workload)
        cells = {
            name: report.cell(found, workload, cpu=False) or "-" for name, found in shown.items()
        }
        cells |= {best: f"**{cells[best]}**"} if best else {}
        rows.append([f"`{workload}`", *cells.values()])
    return _markdown(["", *names], rows)


def memory_table(sized: Sized) -> str:
    """Return MB of anonymous memory at most, above the benchmark's own, and bytes an item on disk."""
    shown = [name for name in sized.results if name != NOTHING]
    rows = []
    for session in bars.MEMORY_SESSIONS:
        if session in sized.results[OURS].anonymous:
            cells = [_megabytes(sized, name, session) for name in shown]
            rows.append([f"MB, `{session}`", *cells])
    disk = [
        f"{found.bytes_an_item('build'):.0f}" if "build" in found.disk and _filled(found) else "-"
        for found in map(sized.results.__getitem__, shown)
    ]
    return _markdown(["", *shown], [*rows, ["bytes an item on disk", *disk]])


def growth_table(parts: dict[str, Part]) -> str:
    """Return what ours costs at each size: time an operation, memory, disk."""
    sizes = sorted(
        {
            one.size
            for part in parts.values()
            for sized in part.measured.values()
            for one in sized
            if OURS in one.results
        }
    )
    rows = []
    for structure, workloads in MICROSECONDS.items():
        found = [list(_holding(parts, structure, size)) for size in sizes]
        for label, cell in _growth_rows(structure, workloads):
            cells = [
                next(filter(None, (cell(one) for one in candidates)), "-") for candidates in found
            ]
            if any(text != "-" for text in cells):
                rows.append([f"{structure}: {label}", *cells])
    return _markdown(["", *(f"{size:,}" for size in sizes)], rows)


def _costs_table(sized: Sized, names: dict[str, str], workloads: dict[str, str]) -> str:
    rows = [
        [said, *(_cost(sized.results[name], workload) for name in names)]
        for workload, said in workloads.items()
    ]
    megabytes = [_megabytes(sized, name, "build") for name in names]
    return _markdown(["", *names.values()], [*rows, ["MB of RAM while it is filled", *megabytes]])


def _cost(found: Figures, workload: str) -> str:
    if workload not in found.done or workload in found.failures:
        return "-"
    microseconds = 1e6 / statistics.median(found.rates(workload))
    return f"{microseconds:.2g}" if microseconds < HUNDRED else f"{microseconds:,.0f}"


def _rates_of(parts: dict[str, Part]) -> Iterator[str]:
    """Yield headings and tables of all parts but that which shows growth."""
    for name, part in parts.items():
        if name != GROWTH_PART:
            for structure, measured in part.measured.items():
                for sized in measured:
                    yield f"### {structure}, {sized.size:,} items"
                    yield _circumstances(part, sized)
                    yield rates_table(sized)
                    yield memory_table(sized)


def _circumstances(part: Part, sized: Sized) -> str:
    machine = part.machine
    parts = [
        f"CPython {machine['python']}",
        machine["system"],
        f"{machine['cores']} cores ({machine['processor']})",
        f"{part.rounds} round{'s' if part.rounds > 1 else ''}",
        machine["day"],
    ]
    once = [name for name, found in sized.results.items() if _rounds(found) < part.rounds]
    if once:
        parts.append(f"in the first round only: {', '.join(once)}")
    short = [
        f"{name} with {found.count['build'][-1]:,}"
        for name, found in sized.results.items()
        if 0 < found.count.get("build", [sized.size])[-1] < sized.size
    ]
    if short:
        parts.append(f"filled no further in the time there was: {', '.join(short)}")
    note = f" {part.note}" if part.note else ""
    return f"Operations a second, or milliseconds. {'; '.join(parts)}.{note}"


def _rounds(found: Figures) -> int:
    return max(map(len, found.done.values()), default=0)


def _growth_verdicts(parts: dict[str, Part]) -> Iterator[str]:
    """Yield how much dearer ours became from the one size of the growth part to the other."""
    rows = []
    for structure, sizes in parts[GROWTH_PART].measured.items() if GROWTH_PART in parts else ():
        if len(sizes) > 1:
            rows += [
                [f"{structure}: {verdict.figure}", verdict.found, f"at most {verdict.bar}"]
                for verdict in bars.growth(*sizes[-2:])
            ]
    if rows:
        yield _markdown(["in one run", "grows to", "is to be"], rows)


def _growth_rows(structure: str, workloads: Iterable[str]) -> Iterator[tuple[str, _Cell]]:
    """Yield what is shown at each size, and what returns it, or nothing where it was not measured."""
    yield "items that the time was enough for", _filled_with
    for workload in workloads:
        yield f"`{workload}`, us", _us(workload)
    for session in bars.MEMORY_SESSIONS:
        yield f"anonymous MB, `{session}`", _own_megabytes(session)
    if structure == "dict":
        yield "longest insertion, ms", _milliseconds("longest")
    yield "open and first get, ms", _milliseconds(OPEN)
    yield "bytes an item on disk", _disk


def _filled_with(sized: Sized) -> str:
    """Return how many items there were, where they were fewer than there should have been."""
    count = sized.results[OURS].count.get("build", [sized.size])[-1]
    return f"{count:,}" if count < sized.size else ""


def _us(workload: str) -> _Cell:
    def cell(sized: Sized) -> str:
        rates = sized.results[OURS].rates(workload)
        return f"{1e6 / statistics.median(rates):.3g}" if rates else ""

    return cell


def _milliseconds(workload: str) -> _Cell:
    def cell(sized: Sized) -> str:
        ours = sized.results[OURS]
        return f"{ours.milliseconds(workload):.3g}" if workload in ours.done else ""

    return cell


def _own_megabytes(session: str) -> _Cell:
    def cell(sized: Sized) -> str:
        if session not in sized.results[OURS].anonymous:
            return ""
        return f"{bars.anonymous(sized, session) / bars.MEGA:.1f}"

    return cell


def _disk(sized: Sized) -> str:
    ours = sized.results[OURS]
    return f"{ours.bytes_an_item('build'):.0f}" if "build" in ours.disk else ""


def _holding(parts: dict[str, Part], structure: str, size: int) -> Iterator[Sized]:
    """Yield what was found of ours at a size: in the growth part, then in the others."""
    for name in sorted(parts, key=lambda name: name != GROWTH_PART):
        sized = parts[name].sized(structure, size)
        if sized and OURS in sized.results:
            yield sized


def _megabytes(sized: Sized, name: str, session: str) -> str:
    found = sized.results[name]
    if session not in found.anonymous or not _filled(found):
        return "-"
    return f"{bars.anonymous(sized, session, name) / bars.MEGA:.1f}"


def _filled(found: Figures) -> bool:
    return any(found.count.get("build", []))


def _best(sized: Sized, workload: str) -> str:
    """Return the fastest of those that are on disk, where there are several."""
    results = {
        name: found
        for name, found in sized.results.items()
        if name not in IN_RAM and workload in found.done and workload not in found.failures
    }
    if len(results) < 2:  # noqa: PLR2004 -- several
        return ""
    key = (
        (lambda name: -results[name].milliseconds(workload))
        if workload in SINGLE
        else (lambda name: statistics.median(results[name].rates(workload)))
    )
    return max(results, key=key)


def _markdown(header: list[str], rows: Iterable[list[str]]) -> str:
    """Return a table."""
    lines = [header, ["---", *("--:" for _ in header[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
