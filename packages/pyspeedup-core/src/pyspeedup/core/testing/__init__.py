"""What tests an extension: state machines and contracts, for third parties as for ourselves.

Needs the extra ``testing`` (``pip install "pyspeedup-core[testing]"``): Hypothesis and pytest.

- `MappingMachine`, `SequenceMachine`, `PageStoreMachine`: state machines that compare a structure
  with a dict, a list, or a dict of bytes, step by step. `state_machine_test` makes a test of one.
- `strategies`: what they draw from.
"""

from __future__ import annotations

from pyspeedup.core.testing import strategies
from pyspeedup.core.testing._twins import Pair, state_machine_test
from pyspeedup.core.testing._values import Box
from pyspeedup.core.testing.mappings import MappingMachine
from pyspeedup.core.testing.sequences import SequenceMachine
from pyspeedup.core.testing.stores import PageStoreMachine

__all__ = [
    "Box",
    "MappingMachine",
    "PageStoreMachine",
    "Pair",
    "SequenceMachine",
    "state_machine_test",
    "strategies",
]
