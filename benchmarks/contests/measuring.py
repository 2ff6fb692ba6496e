"""Measures part after part of what a page shows, and keeps each as soon as it is there."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from contests import results

if TYPE_CHECKING:
    from contests.subject import Subject


def main(subject: Subject, what: str | None) -> int:
    """Measure the parts that the command line names, or all; 1 where ours has failed in one."""
    arguments = _arguments(subject, what)
    named = arguments.parts or subject.parts
    failed = [part for part in named if not _measure(subject, part, arguments)]
    subprocess.run([sys.executable, str(subject.script("document"))], check=True)
    if failed:
        print(f"ours has failed in {', '.join(failed)}, as said above", flush=True)
    return int(bool(failed))


def _measure(subject: Subject, part: str, arguments: argparse.Namespace) -> bool:
    """Measure a part and keep its figures; return whether ours did the work."""
    print(f"\n=== {part}", flush=True)
    with tempfile.TemporaryDirectory(prefix="pyspeedup-bench-") as folder:
        path = Path(folder, "figures.json")
        options = ["--only", subject.parts[part], "--rounds", str(arguments.rounds)]
        options += ["--slow-once", "--bars", "--note", arguments.note, "--json", str(path)]
        command = [sys.executable, str(subject.script("bench")), *options]
        status = subprocess.run(command, check=False).returncode
        results.keep(part, results.read(path), subject.results)
    return status == 0


def _arguments(subject: Subject, what: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=what.splitlines()[0] if what else "")
    parser.add_argument("parts", nargs="*", metavar="|".join(subject.parts), help="default: all")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument("--note", default="", help="what to say about this run")
    arguments = parser.parse_args()
    for part in arguments.parts:
        if part not in subject.parts:
            parser.error(f"there is no part {part!r}; there are {', '.join(subject.parts)}")
    return arguments
