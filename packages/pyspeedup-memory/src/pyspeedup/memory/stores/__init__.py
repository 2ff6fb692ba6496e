"""Where pages are kept: in a file, in a database, in RAM, or in any mapping of str to bytes."""

from __future__ import annotations
