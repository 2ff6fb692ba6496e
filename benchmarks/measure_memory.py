"""Measures what docs/benchmarks-memory.md shows, part by part, and puts it there: some 15 minutes.

Each part is written as soon as it is there, so that one which was interrupted, or during which the
machine had other work, can be repeated by its name.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from memory import results

HERE = Path(__file__).parent
EVERY_SIZE = "insert,append,cold_get,get_rand,open"
PARTS = {
    "200k": ["-n", "200000", "--rounds", "3", "--slow-once"],
    "1m": ["-n", "1000000", "--rounds", "1", "--peers", "dict,list,lmdb,pyspeedup,nothing"],
    "10m": [
        *("-n", "1000000", "--huge", "--rounds", "1", "--cap", "2"),
        *("--only", EVERY_SIZE, "--peers", "pyspeedup,nothing"),
    ],
}
"""All peers; those that bear a million items; ours alone, with a tenth for comparison in the same run."""


def main() -> None:
    """Measure the parts that the command line names, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="|".join(PARTS), help="default: all")
    parser.add_argument("--note", default="", help="what to say about this run")
    parser.add_argument("--folder", type=Path, help="where stores are made")
    arguments = parser.parse_args()
    for part in arguments.parts:
        if part not in PARTS:
            parser.error(f"there is no part {part!r}; there are {', '.join(PARTS)}")
    for part in arguments.parts or PARTS:
        _measure(part, arguments)
    subprocess.run([sys.executable, str(HERE / "document_memory.py")], check=True)


def _measure(part: str, arguments: argparse.Namespace) -> None:
    print(f"\n=== {part}", flush=True)
    path = results.path_of(part)
    path.parent.mkdir(exist_ok=True)
    options = ["--bars", "--json", str(path), "--note", arguments.note]
    if arguments.folder:
        options += ["--folder", str(arguments.folder)]
    script = str(HERE / "bench_memory.py")
    if subprocess.run([sys.executable, script, *PARTS[part], *options], check=False).returncode:
        print(f"--- {part}: something of ours failed, as said above", flush=True)


if __name__ == "__main__":
    main()
