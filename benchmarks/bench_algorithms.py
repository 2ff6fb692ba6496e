"""Number theory by pyspeedup beside the C libraries that there are, and beside sympy."""

from __future__ import annotations

import sys

from contests import command
from number_theory.subject import SUBJECT


def main() -> int:
    """Do what the command line says; 1 where ours has failed."""
    return command.main(SUBJECT, __file__, __doc__)


if __name__ == "__main__":
    sys.exit(main())
