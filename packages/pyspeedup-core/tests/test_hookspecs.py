"""Every hook is documented, with its exact arguments, and takes what it says."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from pyspeedup.core import hookspecs
from pyspeedup.core.plugins import Plugins

GUIDE = Path(__file__).parents[3] / "docs" / "writing-a-plugin.md"
HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("pyspeedup_register_"))


def test_there_are_four_hooks_and_they_are_exported():
    assert len(HOOKS) == 4
    assert set(hookspecs.__all__) == {"hookimpl", *HOOKS}


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_is_documented_with_its_exact_arguments(hook):
    arguments = ", ".join(inspect.signature(getattr(hookspecs, hook)).parameters)
    assert inspect.getdoc(getattr(hookspecs, hook))
    if not GUIDE.exists():
        pytest.skip("the guide is not part of the source distribution")
    assert f"def {hook}({arguments})" in GUIDE.read_text(encoding="utf-8")


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_has_a_registry(hook):
    kind = hook.removeprefix("pyspeedup_register_").removesuffix("s").replace("_", " ")
    assert kind in [registry.kind for registry in Plugins(list).registries]
