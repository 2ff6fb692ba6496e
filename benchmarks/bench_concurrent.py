"""Buffer and Cache beside what one would take instead, and beside plain Python."""

from __future__ import annotations

import sys

from concurrency.subject import SUBJECT
from contests import command


def main() -> int:
    """Do what the command line says; 1 where ours has failed."""
    return command.main(SUBJECT, __file__, __doc__)


if __name__ == "__main__":
    sys.exit(main())
