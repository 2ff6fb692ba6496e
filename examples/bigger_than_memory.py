"""More than fits: squares by name in a `DiskDict`, of which 64 items at most are in RAM.

Run it twice: the second time everything is there already, from the first run.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from pyspeedup.memory import DiskDict


def main() -> None:
    """Fill what is missing, then read, change and count as with any dict."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000, help="how many (default: 100,000)")
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir(), "pyspeedup-demo")
    )
    arguments = parser.parse_args()

    with DiskDict[str, int](
        "squares", size_limit=16, max_pages=4, file_location=arguments.folder
    ) as squares:
        print(f"{len(squares):,} were there")
        squares.update((f"{n:,}", n * n) for n in range(len(squares), arguments.items))
        print(f"{len(squares):,} are there now")
        last = next(reversed(squares))
        print(f"the last is {last} squared: {squares[last]:,}")
        print(f"{sum(squares.values()):,} in sum")


if __name__ == "__main__":
    main()
