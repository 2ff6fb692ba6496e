"""What the built wheels hold, and that each installs alone."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    "PYSPEEDUP_DIST" not in os.environ,
    reason="PYSPEEDUP_DIST names no folder of built wheels; nox builds them",
)

LEAVES = ["core", "memory", "concurrent", "algorithms"]
BRINGS = {
    "pyspeedup": {"core"},
    "pyspeedup[memory]": {"core", "memory"},
    "pyspeedup[concurrent]": {"core", "concurrent"},
    "pyspeedup[algorithms]": {"core", "memory", "concurrent", "algorithms"},
    "pyspeedup[all]": {"core", "memory", "concurrent", "algorithms"},
    "pyspeedup-core": {"core"},
    "pyspeedup-memory": {"core", "memory"},
    "pyspeedup-concurrent": {"core", "concurrent"},
    "pyspeedup-algorithms": {"core", "memory", "concurrent", "algorithms"},
}


def dist():
    return Path(os.environ["PYSPEEDUP_DIST"])


def wheel(distribution):
    (found,) = dist().glob(f"{distribution.replace('-', '_')}-[0-9]*.whl")
    return found


def version():
    return wheel("pyspeedup-core").name.split("-")[1]


def names(path):
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_wheel_holds_its_leaf_and_nothing_at_the_namespace(leaf):
    inside = [name for name in names(wheel(f"pyspeedup-{leaf}")) if ".dist-info/" not in name]
    assert f"pyspeedup/{leaf}/__init__.py" in inside
    assert f"pyspeedup/{leaf}/py.typed" in inside
    assert all(name.startswith(f"pyspeedup/{leaf}/") for name in inside)
    assert not any("__pycache__" in name for name in inside)


def test_the_metapackage_holds_nothing_but_metadata():
    assert all(".dist-info/" in name for name in names(wheel("pyspeedup")))


@pytest.mark.parametrize("distribution", ["pyspeedup", *(f"pyspeedup-{leaf}" for leaf in LEAVES)])
def test_a_wheel_carries_the_licence(distribution):
    assert any(name.endswith("licenses/LICENSE") for name in names(wheel(distribution)))


@pytest.mark.slow
@pytest.mark.parametrize("requirement", BRINGS)
def test_a_requirement_installs_what_its_name_says(requirement, tmp_path):
    venv.create(tmp_path / "venv", with_pip=True)
    python = next((tmp_path / "venv").glob("*/python*"))
    run = [str(python), "-m", "pip", "install", "-q", "--find-links", str(dist())]
    subprocess.run([*run, f"{requirement}=={version()}"], check=True, env=_environment())
    for leaf in LEAVES:
        imported = subprocess.run(
            [str(python), "-c", f"import pyspeedup.{leaf}"], check=False, capture_output=True
        )
        assert (imported.returncode == 0) == (leaf in BRINGS[requirement]), imported.stderr


def _environment():
    """Keep what pip needs to reach its index, without this interpreter's own packages."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


def test_this_interpreter_runs_the_wheels_and_not_the_sources():
    import pyspeedup.core

    assert "packages" not in Path(pyspeedup.core.__file__).parts
    assert sys.prefix in pyspeedup.core.__file__
