"""Whether a run is to try all that it can, for hours, or what finds most in minutes."""

from __future__ import annotations

import os

IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
