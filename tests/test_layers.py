"""Which package may import which, held by walking every import."""

import ast
import re
import sys
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parent.parent / "packages"

# A package: which of ours it may import, and which of others'.
ALLOWED = {
    "core": (set(), {"pluggy"}),
    "memory": ({"core"}, {"numpy"}),
    "concurrent": ({"core"}, {"cloudpickle"}),
    "algorithms": ({"concurrent", "memory"}, {"numpy"}),
    "dask": ({"core", "concurrent"}, {"cloudpickle", "distributed"}),
}
TESTING_KIT = {"hypothesis", "pytest"}
TYPES_ONLY = {"_typeshed"}
"""Known to type checkers, and to nobody else."""
GLUE = {"algorithms": {"many.py", "parallel.py", "racing.py", "sequences.py"}}
"""Modules that alone may import our other packages."""

EXTRAS = {
    "algorithms": {
        "flint": "_kernels/flint.py",
        "gmpy2": "_kernels/gmp.py",
        "tqdm": "algorithms/_progress.py",
    },
    "memory": {"fsspec": "stores/fsspec.py", "lmdb": "stores/_lmdb_file.py"},
    "concurrent": {
        "matplotlib": "_caching/profile_plot.py",
        "tqdm": "_caching/map_options.py",
    },
}
"""Optional requirements that one module alone imports, so that all else works without."""


def sources(package):
    return sorted((PACKAGES / f"pyspeedup-{package}" / "src").rglob("*.py"))


def imports(path):
    """Yield each absolute dotted name that a module imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_testing(path):
    return "testing" in path.parts or path.name == "testing.py"


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_it_declares(package):
    ours, others = ALLOWED[package]
    declared = (PACKAGES / f"pyspeedup-{package}" / "pyproject.toml").read_text(encoding="utf-8")
    optional = set(
        re.findall(r'^    "([a-z]\w+)[\[<>=]', declared.split("optional-dep")[-1], re.MULTILINE)
    )
    optional |= set(EXTRAS.get(package, {}))  # what is called otherwise than its distribution
    seen = 0
    for path in sources(package):
        for name in imports(path):
            top, _, rest = name.partition(".")
            seen += 1
            if top == "pyspeedup":
                assert rest.split(".")[0] in ours | {package}, f"{path} imports {name}"
            elif is_testing(path):
                assert top in sys.stdlib_module_names | TESTING_KIT | others, f"{path}: {name}"
            else:
                allowed = sys.stdlib_module_names | others | optional | TYPES_ONLY
                assert top in allowed - TESTING_KIT, f"{path} imports {name}"
    assert seen > 10


@pytest.mark.parametrize("package", GLUE)
def test_only_glue_modules_join_packages(package):
    for path in sources(package):
        joined = {
            name.split(".")[1]
            for name in imports(path)
            if name.startswith("pyspeedup.") and name.split(".")[1] != package
        }
        assert not joined or path.name in GLUE[package], f"{path} imports {joined}"


@pytest.mark.parametrize("package", EXTRAS)
def test_an_optional_requirement_is_imported_by_the_module_that_is_made_of_it(package):
    seen = {
        (name.partition(".")[0], path.parent.name + "/" + path.name)
        for path in sources(package)
        for name in imports(path)
        if name.partition(".")[0] in EXTRAS[package]
    }
    assert seen == set(EXTRAS[package].items())


@pytest.mark.parametrize("package", ALLOWED)
def test_only_tests_import_the_testing_kit(package):
    for path in sources(package):
        if not is_testing(path):
            assert not any(".testing" in name for name in imports(path)), path


def test_core_imports_leftward():
    order = ["errors", "protocols", "registry", "hookspecs", "plugins"]
    folder = PACKAGES / "pyspeedup-core/src/pyspeedup/core"
    for position, module in enumerate(order):
        later = {f"pyspeedup.core.{name}" for name in order[position + 1 :]}
        for name in imports(folder / f"{module}.py"):
            assert not any(name.startswith(one) for one in later), f"{module} imports {name}"
