"""All of pyspeedup on real input, beside plain Python: the sources of the standard library.

    python examples/quickstart.py            everything, in less than a minute
    python examples/quickstart.py --small    a few files, in a few seconds

Four steps, each done in both ways by the same code wherever that is possible:

    index    an inverted index of every word                       dict      DiskDict
    lines    every line, read at random and in slices              list      DiskList
    primes   a generator, and work on each of its items            in turn   Buffer
    syntax   a function that calls itself twice, and works hard    lru_cache Cache

Each variant runs in a process of its own, and both have to come to the same answer.
"""

from __future__ import annotations

import argparse
import ast
import functools
import os
import random
import re
import sysconfig
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, MutableMapping, MutableSequence
from itertools import count, islice
from pathlib import Path
from typing import Any

from measuring import Measurement, report, run_apart
from pyspeedup.algorithms import factorint
from pyspeedup.concurrent import Buffer, Cache
from pyspeedup.memory import DiskDict, DiskList
from tqdm import tqdm

WORD = re.compile(r"[A-Za-z_]\w{2,}")
NOT_OURS = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__"}
SMALL = 40
BATCH = 100_000
PRIMES_PER_FILE = 80
READS = 5_000

Answer = Any
Lines = MutableSequence[str]
Index = MutableMapping[str, list[int]]


# --- the input --------------------------------------------------------------------------------------


def sources(small: bool) -> list[Path]:
    """Return the standard library's own modules, without its tests and what was installed."""
    found = []
    for folder, folders, files in os.walk(sysconfig.get_path("stdlib")):
        folders[:] = set(folders) - NOT_OURS
        found += [Path(folder, name) for name in files if name.endswith(".py")]
    return sorted(found)[: SMALL if small else None]


def text_of(path: Path) -> str:
    """Return a source file's text; a few are in other encodings on purpose."""
    return path.read_text(encoding="utf-8", errors="replace")


def progress(items: Iterable[Any], title: str) -> Iterable[Any]:
    """Iterate with a progress bar, where there is a terminal to draw it on."""
    return tqdm(items, title, leave=False, disable=None)


# --- index: where each word occurs -------------------------------------------------------------------


def index_words(index: Index, paths: list[Path]) -> Answer:
    """Fill `index` with word -> numbers of the lines that have it, and look some words up."""
    batch: Index = defaultdict(list)
    held = 0
    for number, words in enumerate(words_of_lines(paths)):
        for word in words:
            batch[word].append(number)
        held += len(words)
        if held > BATCH:
            merge(batch, index)
            held = 0
    merge(batch, index)
    return [len(index), {word: len(index[word]) for word in ("self", "lambda", "yield", "print")}]


def words_of_lines(paths: list[Path]) -> Iterator[list[str]]:
    """Yield the words of each line of each file."""
    for path in progress(paths, "index"):
        yield from map(WORD.findall, text_of(path).splitlines())


def merge(batch: Index, index: Index) -> None:
    """Move what is in `batch` to `index`, in the order of `index`: each page is read only once."""
    for word, numbers in index.items():
        numbers.extend(batch.pop(word, []))
    index.update(batch)
    batch.clear()


def index_in_dict(paths: list[Path], _folder: str) -> Answer:
    """Index the words in a dict."""
    return index_words({}, paths)


def index_in_diskdict(paths: list[Path], folder: str) -> Answer:
    """Index the words in a `DiskDict`: same code, other dict, at most 4 MiB of it in RAM."""
    with DiskDict[str, list[int]](
        "words", size_limit=256, file_location=folder, ram_limit=4 << 20
    ) as index:
        return index_words(index, paths)


# --- lines: random access ---------------------------------------------------------------------------


def read_lines(lines: Lines, paths: list[Path]) -> Answer:
    """Append every line of every file to `lines`, then read some of it again."""
    for path in progress(paths, "lines"):
        lines.extend(text_of(path).splitlines())
    chance = random.Random(2014)  # noqa: S311 -- to be repeated, not to be secret
    some = [lines[chance.randrange(len(lines))] for _ in range(READS)]
    middle = len(lines) // 2
    passage = lines[middle : middle + 1_000]
    return [len(lines), sum(map(len, some)), sum(map(len, passage)), lines[-1]]


def lines_in_list(paths: list[Path], _folder: str) -> Answer:
    """Keep the lines in a list."""
    return read_lines([], paths)


def lines_in_disklist(paths: list[Path], folder: str) -> Answer:
    """Keep the lines in a `DiskList`: same code, other list."""
    with DiskList[str]("lines", file_location=folder) as lines:
        return read_lines(lines, paths)


# --- primes: a generator ahead of its consumer ------------------------------------------------------


def primes() -> Iterator[int]:
    """Yield the primes, each found by trial division: honest work."""
    found = [2]
    yield 2
    for n in count(3, 2):
        for p in found:
            if p * p > n:
                found.append(n)
                yield n
                break
            if n % p == 0:
                break


def longest_periods(stream: Iterable[int], how_many: int) -> Answer:
    """Return the primes p below which no 1/p has as long a period in decimal."""
    records = [(0, 0)]
    for p in progress(islice(stream, how_many), "primes"):
        records += [(p, period) for period in (decimal_period(p),) if period > records[-1][1]]
    return [len(records), records[-1]]


def decimal_period(p: int) -> int:
    """Return after how many decimals 1/p repeats: the order of 10 modulo p."""
    if p in {2, 5}:
        return 0
    order = p - 1
    for q in factorint(p - 1):
        while order % q == 0 and pow(10, order // q, p) == 1:
            order //= q
    return order


def primes_in_turn(paths: list[Path], _folder: str) -> Answer:
    """Generate a prime, work on it, generate the next."""
    return longest_periods(primes(), PRIMES_PER_FILE * len(paths))


def primes_buffered(paths: list[Path], _folder: str) -> Answer:
    """Work on a prime while another process generates the next ones."""
    with Buffer(primes, 4_096) as ahead:
        return longest_periods(ahead, PRIMES_PER_FILE * len(paths))


# --- syntax: a recursion that branches --------------------------------------------------------------


def kinds_in(path: str) -> Counter[str]:
    """Count the kinds of syntax in one file."""
    return Counter(type(node).__name__ for node in ast.walk(ast.parse(Path(path).read_bytes())))


@functools.lru_cache(None)
def kinds_alone(paths: tuple[str, ...]) -> Counter[str]:
    """Count the kinds of syntax in all files: those of one half, then those of the other."""
    if len(paths) == 1:
        return kinds_in(paths[0])
    middle = len(paths) // 2
    return kinds_alone(paths[:middle]) + kinds_alone(paths[middle:])


@Cache
def kinds_shared(paths: tuple[str, ...]) -> Counter[str]:
    """Count the kinds of syntax in all files: those of each half by whoever is idle."""
    if len(paths) == 1:
        return kinds_in(paths[0])
    middle = len(paths) // 2
    kinds_shared.batch_async((paths[:middle],), (paths[middle:],))
    return kinds_shared(paths[:middle]) + kinds_shared(paths[middle:])


def syntax_with_lru_cache(paths: list[Path], _folder: str) -> Answer:
    """Recurse in one process."""
    return kinds_alone(tuple(map(str, paths))).most_common(3)


def syntax_with_cache(paths: list[Path], _folder: str) -> Answer:
    """Recurse over all cores."""
    return kinds_shared(tuple(map(str, paths))).most_common(3)


# --- both ways, side by side ------------------------------------------------------------------------

Variant = Callable[[list[Path], str], Answer]
STEPS: dict[str, tuple[Variant, Variant]] = {
    "index": (index_in_dict, index_in_diskdict),
    "lines": (lines_in_list, lines_in_disklist),
    "primes": (primes_in_turn, primes_buffered),
    "syntax": (syntax_with_lru_cache, syntax_with_cache),
}
NAMES = {
    "index": ("dict", "DiskDict"),
    "lines": ("list", "DiskList"),
    "primes": ("in turn", "Buffer"),
    "syntax": ("lru_cache", "Cache"),
}


def main() -> None:
    """Run every step in both ways and print the table."""
    arguments = parse_arguments()
    if arguments.variant:
        step, way = arguments.variant
        paths = sources(arguments.small)
        report(lambda: STEPS[step][int(way)](paths, arguments.folder))
        return
    rows = {}
    with tempfile.TemporaryDirectory(prefix="pyspeedup-quickstart-") as folder:
        for step in STEPS:
            rows[step] = run_step(step, folder, arguments.small)
    print_table(rows)


def parse_arguments() -> argparse.Namespace:
    """Read the command line; `--variant` is how a measured process is told its part."""
    parser = argparse.ArgumentParser(description="All of pyspeedup beside plain Python.")
    parser.add_argument("--small", action="store_true", help="use a few files only")
    parser.add_argument("--variant", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    return parser.parse_args()


def run_step(step: str, folder: str, small: bool) -> tuple[Measurement, Measurement]:
    """Run both variants of a step, hold their answers together, and print the result."""
    shared = ["--folder", folder, *(["--small"] if small else [])]
    plain, ours = (run_apart(__file__, ["--variant", step, way, *shared]) for way in "01")
    if plain.answer != ours.answer:
        raise SystemExit(f"{step}: {plain.answer} in plain Python, but {ours.answer}")
    print(f"{step:8}{ours.answer}")
    return plain, ours


def print_table(rows: dict[str, tuple[Measurement, Measurement]]) -> None:
    """Print how long each way took and how much memory it needed."""
    print(f"\n{'':8}{'plain Python':^28}{'pyspeedup':^28}")
    for step, (plain, ours) in rows.items():
        cells = (cell(name, way) for name, way in zip(NAMES[step], (plain, ours), strict=True))
        print(f"{step:8}{''.join(cells)}{verdict(plain, ours)}")
    print(
        "\nMB: the most memory that the process had resident, above what it had before the step.\n"
        "The processes that a Buffer and a Cache work with have some 20 MB each besides."
    )


def cell(name: str, way: Measurement) -> str:
    """Return one way's part of a row."""
    return f"{name:10}{way.seconds:6.2f} s {way.mebibytes:5.0f} MB  "


def verdict(plain: Measurement, ours: Measurement) -> str:
    """Say which way is faster, and how much."""
    if ours.seconds < plain.seconds:
        return f"{plain.seconds / ours.seconds:.1f}x as fast"
    return f"{ours.seconds / plain.seconds:.1f}x the time: plain Python is faster here"


if __name__ == "__main__":
    main()
