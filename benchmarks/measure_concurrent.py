"""Measures what docs/benchmarks-concurrent.md shows, part by part, and puts it there: some 20 minutes.

Each part is kept as soon as it is there, so that one which was interrupted, or during which the
machine had other work, can be repeated by its name. With --rounds 3 none takes much over two minutes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from concurrency import results

HERE = Path(__file__).parent
PARTS = {
    "ints": "B1",
    "items": "B2,B3",
    "waiting": "B4,B5,B6",
    "memory": "B7,C1,C2",
    "fine": "C3",
    "graph": "C4",
    "tree": "C4t",
    "fine-graph": "C5",
    "fine-tree": "C5t",
    "map": "C6",
    "fine-map": "C7",
    "start": "C8,C9,C9m",
}
"""The workloads of each part."""


def main() -> int:
    """Measure the parts that the command line names, or all; 1 where ours has failed in one."""
    arguments = _arguments()
    failed = [part for part in arguments.parts or PARTS if not _measure(part, arguments)]
    subprocess.run([sys.executable, str(HERE / "document_concurrent.py")], check=True)
    if failed:
        print(f"ours has failed in {', '.join(failed)}, as said above", flush=True)
    return int(bool(failed))


def _measure(part: str, arguments: argparse.Namespace) -> bool:
    """Measure a part and keep its figures; return whether ours did the work."""
    print(f"\n=== {part}", flush=True)
    with tempfile.TemporaryDirectory(prefix="pyspeedup-bench-") as folder:
        path = Path(folder, "figures.json")
        options = [
            "--only",
            PARTS[part],
            "--rounds",
            str(arguments.rounds),
            "--slow-once",
            "--bars",
        ]
        options += ["--note", arguments.note, "--json", str(path)]
        script = str(HERE / "bench_concurrent.py")
        status = subprocess.run([sys.executable, script, *options], check=False).returncode
        results.keep(part, results.read(path))
    return status == 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("parts", nargs="*", metavar="|".join(PARTS), help="default: all")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument("--note", default="", help="what to say about this run")
    arguments = parser.parse_args()
    for part in arguments.parts:
        if part not in PARTS:
            parser.error(f"there is no part {part!r}; there are {', '.join(PARTS)}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
