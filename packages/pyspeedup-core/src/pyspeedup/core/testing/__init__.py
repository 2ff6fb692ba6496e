"""What tests an extension: state machines and contracts, for third parties as for ourselves.

Needs the extra ``testing`` (``pip install "pyspeedup-core[testing]"``): Hypothesis and pytest.

- `MappingMachine`, `SequenceMachine`, `PageStoreMachine`: state machines that compare a structure
  with a dict, a list, or a dict of bytes, step by step. `state_machine_test` makes a test of one.
- `SerializerContract`, `HaltConditionContract`, `EngineContract`: test classes to subclass.
- `leak_check`, and the pytest plugin ``pyspeedup.core.testing.leaks`` with the fixture `no_leaks`:
  fail a test that leaves a process, thread, descriptor or file behind.
- `strategies`: what the machines and contracts draw from.
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    "pyspeedup.core.testing.contracts",
    "pyspeedup.core.testing.engines",
    "pyspeedup.core.testing.stores",
)

# Assertions in these modules explain themselves only if they are imported after the line above.
from pyspeedup.core.testing import strategies  # noqa: E402 -- see the line above
from pyspeedup.core.testing._running import state_machine_test  # noqa: E402 -- see above
from pyspeedup.core.testing._twins import Pair  # noqa: E402 -- see above
from pyspeedup.core.testing._values import Box  # noqa: E402 -- see above
from pyspeedup.core.testing.contracts import (  # noqa: E402 -- see above
    HaltConditionContract,
    SerializerContract,
)
from pyspeedup.core.testing.engines import EngineContract, NamedCall  # noqa: E402 -- see above
from pyspeedup.core.testing.leaks import Leak, leak_check, no_leaks  # noqa: E402 -- see above
from pyspeedup.core.testing.mappings import MappingMachine  # noqa: E402 -- see above
from pyspeedup.core.testing.sequences import SequenceMachine  # noqa: E402 -- see above
from pyspeedup.core.testing.stores import PageStoreMachine  # noqa: E402 -- see above

__all__ = [
    "Box",
    "EngineContract",
    "HaltConditionContract",
    "Leak",
    "MappingMachine",
    "NamedCall",
    "PageStoreMachine",
    "Pair",
    "SequenceMachine",
    "SerializerContract",
    "leak_check",
    "no_leaks",
    "state_machine_test",
    "strategies",
]
