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

LEAVES = ["core", "memory", "concurrent", "algorithms", "dask"]
BRINGS = {
    "pyspeedup": {"core"},
    "pyspeedup[memory]": {"core", "memory"},
    "pyspeedup[concurrent]": {"core", "concurrent"},
    "pyspeedup[algorithms]": {"core", "memory", "concurrent", "algorithms"},
    "pyspeedup[dask]": {"core", "concurrent", "dask"},
    "pyspeedup[all]": {"core", "memory", "concurrent", "algorithms"},
    "pyspeedup-core": {"core"},
    "pyspeedup-memory": {"core", "memory"},
    "pyspeedup-concurrent": {"core", "concurrent"},
    "pyspeedup-algorithms": {"core", "memory", "concurrent", "algorithms"},
    "pyspeedup-dask": {"core", "concurrent", "dask"},
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


@pytest.fixture(scope="module")
def installer(tmp_path_factory):
    """Return a function that installs a requirement from the wheels into an empty folder of its own."""
    place = tmp_path_factory.mktemp("installer")
    venv.create(place / "venv", with_pip=True)
    python = place / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["HOME"] = str(place)

    def install(requirement, target):
        command = [python, "-m", "pip", "install", "-q", "--find-links", dist(), "--target", target]
        subprocess.run([*command, requirement], check=True, env=environment)
        return python, environment | {"PYTHONPATH": str(target)}

    return install


@pytest.mark.parametrize("requirement", BRINGS)
def test_a_requirement_installs_what_its_name_says(requirement, installer, tmp_path):
    python, environment = installer(f"{requirement}=={version()}", tmp_path)
    for leaf in LEAVES:
        imported = subprocess.run(
            [python, "-c", f"import pyspeedup.{leaf}"],
            check=False,
            capture_output=True,
            env=environment,
        )
        assert (imported.returncode == 0) == (leaf in BRINGS[requirement]), imported.stderr


def test_this_interpreter_runs_the_wheels_and_not_the_sources():
    import pyspeedup.core

    assert "packages" not in Path(pyspeedup.core.__file__).parts
    assert sys.prefix in pyspeedup.core.__file__
