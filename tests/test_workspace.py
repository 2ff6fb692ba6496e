"""What has to agree between the packages: versions, pins, typing marks, the namespace, names."""

import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEAVES = ["core", "memory", "concurrent", "algorithms", "dask"]
DISTRIBUTIONS = ["pyspeedup", *(f"pyspeedup-{leaf}" for leaf in LEAVES)]


def project(distribution):
    text = (ROOT / "packages" / distribution / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"]


def requirements(distribution):
    metadata = project(distribution)
    optional = metadata.get("optional-dependencies", {}).values()
    return [*metadata.get("dependencies", []), *(one for group in optional for one in group)]


def test_all_versions_agree():
    assert len({project(distribution)["version"] for distribution in DISTRIBUTIONS}) == 1


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_siblings_are_pinned_to_the_same_version(distribution):
    version = project("pyspeedup")["version"]
    siblings = [one for one in requirements(distribution) if one.startswith("pyspeedup")]
    assert siblings or distribution == "pyspeedup-core"
    for sibling in siblings:
        assert re.fullmatch(rf"pyspeedup-\w+(\[\w+\])?=={re.escape(version)}", sibling)


def test_the_version_is_above_the_old_librarys():
    assert tuple(map(int, project("pyspeedup")["version"].split(".")[:3])) >= (1, 0, 0)


def test_every_install_command_names_this_version():
    """An install that names none would bring the old library of the same name."""
    version = project("pyspeedup")["version"]
    readmes = [ROOT / "README.md", *(ROOT / "packages").glob("*/README.md")]
    commands = [
        command
        for readme in readmes
        for command in re.findall(r'pip install "?(pyspeedup[^"`\n]*)', readme.read_text("utf-8"))
    ]
    assert commands
    for command in commands:
        assert command.endswith(f"=={version}") or command.startswith("pyspeedup-"), command


def test_the_changelog_tells_of_this_version():
    version = project("pyspeedup")["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[?{re.escape(version)}\b", changelog, re.MULTILINE)


@pytest.mark.parametrize("leaf", LEAVES)
def test_no_leaf_hides_the_namespace_and_each_is_typed(leaf):
    namespace = ROOT / "packages" / f"pyspeedup-{leaf}" / "src" / "pyspeedup"
    assert sorted(path.name for path in namespace.iterdir() if path.name != "__pycache__") == [leaf]
    assert (namespace / leaf / "py.typed").is_file()


def test_the_metapackage_offers_each_leaf():
    extras = project("pyspeedup")["optional-dependencies"]
    assert {*LEAVES, "all"} - {"core"} <= set(extras)
    everything = {re.split(r"[=\[]", one)[0] for one in extras["all"]}
    assert everything == {f"pyspeedup-{leaf}" for leaf in LEAVES} - {
        "pyspeedup-core",  # comes with each of the others
        "pyspeedup-dask",  # for those who have a cluster
    }


@pytest.mark.parametrize("leaf", LEAVES)
def test_what_a_leaf_exports_is_what_it_lists(leaf):
    module = importlib.import_module(f"pyspeedup.{leaf}")
    assert sorted(module.__all__) == list(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_public_name_is_documented_with_an_example(leaf):
    module = importlib.import_module(f"pyspeedup.{leaf}")
    aliases = {"BytesLike", "EngineFactory", "PageStoreFactory", "SerializerFactory", "__version__"}
    instances = {"engines", "halt_conditions", "page_stores", "serializers", "hookimpl", "primes"}
    for name in module.__all__:
        if name in aliases | instances:
            continue
        documentation = getattr(module, name).__doc__ or ""
        assert ">>>" in documentation or _is_shown_elsewhere(module, name), f"{leaf}.{name}"


def _is_shown_elsewhere(module, name):
    """A protocol's example may stand in its page of the guide: only protocols may do without."""
    return getattr(getattr(module, name), "_is_protocol", False)


PROBE = """
import sys, threading, multiprocessing.process, os
before = set(os.listdir(os.path.expanduser("~")))
import pyspeedup.{leaf}
assert not multiprocessing.process.active_children()
assert threading.active_count() == 1
assert "importlib.metadata" not in sys.modules, "entry points may have been scanned"
assert "pluggy" not in sys.modules
assert set(os.listdir(os.path.expanduser("~"))) == before
"""


@pytest.mark.parametrize("leaf", LEAVES)
def test_importing_a_leaf_does_nothing_else(leaf, tmp_path):
    environment = {"HOME": str(tmp_path), "PATH": ""}
    result = subprocess.run(
        [sys.executable, "-c", PROBE.format(leaf=leaf)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_module_says_why_it_exists(leaf):
    module = importlib.import_module(f"pyspeedup.{leaf}")
    names = [name for _, name, _ in pkgutil.walk_packages(module.__path__, f"{module.__name__}.")]
    assert names
    for name in names:
        documentation = importlib.import_module(name).__doc__
        assert documentation, name
        assert documentation.splitlines()[0].endswith((".", ":", "``")), name
