"""The test matrix: ``nox`` runs what a contributor wants, ``nox --list`` shows the rest."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import nox

ROOT = Path(__file__).parent
DIST = ROOT / "dist"
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PYTHONS = ["3.11", "3.12", "3.13"]
PACKAGES = ["core", "memory", "concurrent", "algorithms", "dask"]
DISTRIBUTIONS = ["pyspeedup", *(f"pyspeedup-{package}" for package in PACKAGES)]
EXTRAS = {
    "algorithms": "testing,flint,progress",
    "memory": "testing,fsspec,lmdb,lz4,msgpack,numpy,progress,zstd",
    "concurrent": "testing,plot,progress",
}
PYTHON_WITHOUT_EXTRAS = "3.12"
ALONE = "packages/pyspeedup-dask/src"  # dask changes how the exceptions of its process are pickled
START_METHODS = ["fork", "spawn", "forkserver"]
PEERS = {  # of each script in benchmarks/, what it is compared with; one not installed is left out
    "algorithms": ["sympy", "gmpy2", "python-flint", "cypari"],
    "concurrent": [
        *("numpy", "loky", "joblib", "pebble", "mpire", "distributed"),
        *("cachetools", "cachebox", "diskcache"),
    ],
    "memory": [
        *("lmdb", "rocksdict", "diskcache", "sqlitedict", "numpy"),
        *("drivelink", "sqlitecollections", "disklist", "pysos"),
    ],
}
ONCE = [  # a minute or more, and of our own logic: the same on each interpreter
    *("tests/test_benchmarks_algorithms.py", "tests/test_benchmarks_concurrent.py"),
    "packages/pyspeedup-core/tests/test_testing_mappings.py",
    "packages/pyspeedup-core/tests/test_testing_sequences.py",
]
PATIENT = ["-o", "faulthandler_timeout=0"]  # a test that takes an hour has not stalled

RUFF = "ruff>=0.17,<0.18"  # its rules grow with each release, and ours are "all but"
MYPY = "mypy>=2.4,<2.5"

nox.needs_version = ">=2025.11.12"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False  # a missing one is reported as skipped
nox.options.reuse_venv = "never"


def _show_pyenv_interpreters() -> None:
    """Put the interpreters that pyenv keeps on PATH, behind whatever is there already."""
    root = os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))
    for version in PYTHONS:
        if found := sorted(Path(root, "versions").glob(f"{version}.*/bin")):
            os.environ["PATH"] += os.pathsep + str(found[-1])


_show_pyenv_interpreters()


def _group(name: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(PYPROJECT, name)


def _version() -> str:
    metadata = nox.project.load_toml(ROOT / "packages/pyspeedup-core/pyproject.toml")
    return str(metadata["project"]["version"])


def _install_built(session: nox.Session, *requirements: str) -> None:
    """Install from the wheels in dist/ and nothing of ours from elsewhere.

    uv would take a wheel of the same name and version from its cache, built before the last change.
    """
    fresh = [f"--refresh-package={distribution}" for distribution in DISTRIBUTIONS]
    only_uv = fresh if session.venv_backend == "uv" else []
    session.install("--find-links", str(DIST), *only_uv, *requirements)


def _left_out(session: nox.Session) -> list[str]:
    """Return the options that leave out what one interpreter alone runs, on the others."""
    everything = session.python == PYTHON_WITHOUT_EXTRAS
    return [] if everything else [f"--ignore={tests}" for tests in ONCE]


@nox.session(default=False)
def build(session: nox.Session) -> None:
    """Build every wheel and source distribution into dist/, afresh."""
    shutil.rmtree(DIST, ignore_errors=True)
    session.install("build", "hatchling>=1.26")
    for distribution in DISTRIBUTIONS:
        source = f"packages/{distribution}"
        session.run("python", "-m", "build", "--no-isolation", "--outdir", str(DIST), source)


@nox.session(python=PYTHONS, requires=["build"])
@nox.parametrize("package", PACKAGES)
def tests(session: nox.Session, package: str) -> None:
    """Run a package's tests on its wheel, with only what the package itself declares.

    Its extras are there as well, but on one interpreter, since everything else must work without.
    """
    if package == "dask" and session.python != PYTHON_WITHOUT_EXTRAS:
        session.skip("a cluster takes its time to start; one interpreter shows what is ours")
    with_extras = session.python != PYTHON_WITHOUT_EXTRAS
    extras = EXTRAS.get(package, "testing") if with_extras else "testing"
    _install_built(session, f"pyspeedup-{package}[{extras}]=={_version()}")
    selected = [f"packages/pyspeedup-{package}/tests", *_left_out(session)]
    session.run("python", "-m", "pytest", *selected, *session.posargs)


@nox.session(python=PYTHONS, requires=["build"])
def together(session: nox.Session) -> None:
    """Run the tests that no one package owns, on the wheels of all."""
    _install_built(
        session, f"pyspeedup[all,dask]=={_version()}", *_group("test"), *_group("docs-tests")
    )
    environment = {"PYSPEEDUP_DIST": str(DIST)}
    selected = [*_left_out(session), *session.posargs]
    session.run("python", "-m", "pytest", "tests", *selected, env=environment)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting."""
    session.install(RUFF)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(requires=["build"])
def typecheck(session: nox.Session) -> None:
    """Check types, strictly."""
    _install_built(
        session,
        f"pyspeedup[all,dask]=={_version()}",
        *_group("test"),
        MYPY,
        "nox",
        "numpy",
        "types-tqdm",
    )
    for package in PACKAGES:
        session.run("mypy", "-p", f"pyspeedup.{package}")
    session.run("mypy", "noxfile.py", "tests/typing/api.py")
    session.run("mypy", *map(str, sorted(Path("examples").glob("*.py"))))


@nox.session(requires=["build"])
def doctests(session: nox.Session) -> None:
    """Run the example of every docstring."""
    _install_built(session, f"pyspeedup[all,dask]=={_version()}", *_group("test"))
    for package in PACKAGES:
        session.install("--no-deps", "--editable", f"packages/pyspeedup-{package}")
    sources = [f"packages/pyspeedup-{package}/src" for package in PACKAGES]
    others = [source for source in sources if source != ALONE]
    for some in (others, [ALONE]):
        session.run("python", "-m", "pytest", "--doctest-modules", *some, *session.posargs)


@nox.session(requires=["build"])
def plugin(session: nox.Session) -> None:
    """Install the example plugin as a stranger would, and run its tests."""
    _install_built(session, f"pyspeedup[all]=={_version()}", *_group("test"))
    _install_built(session, "./examples/third_party_plugin")
    session.run("pyspeedup", "plugins")
    session.run("python", "-m", "pytest", "examples/third_party_plugin/tests", *session.posargs)


@nox.session(default=False, python=PYTHONS, requires=["build"])
@nox.parametrize("method", START_METHODS)
def start_methods(session: nox.Session, method: str) -> None:
    """Run the tests of pyspeedup.concurrent under each way of starting a process."""
    _install_built(session, f"pyspeedup-concurrent[testing]=={_version()}")
    tests_of = "packages/pyspeedup-concurrent/tests"
    session.run("python", "-m", "pytest", tests_of, f"--start-method={method}", *session.posargs)


@nox.session(default=False, requires=["build"])
def stateful(session: nox.Session) -> None:
    """Run the state machines for long, with disks that fail as well: thousands of examples each."""
    _install_built(session, f"pyspeedup[all]=={_version()}", *_group("test"))
    selected = [*PATIENT, "-k", "stateful or FullDisk or whichever_call_fails", *session.posargs]
    session.run("python", "-m", "pytest", "packages", *selected, env={"HYPOTHESIS_PROFILE": "long"})


@nox.session(default=False, requires=["build"])
def crash(session: nox.Session) -> None:
    """Kill a thousand writers on each page store, and tell what the kills fell into."""
    extras = EXTRAS["memory"]
    _install_built(session, f"pyspeedup-memory[{extras}]=={_version()}")
    rounds = os.environ.get("PYSPEEDUP_CRASH_ROUNDS", "1000")
    tests_of = "packages/pyspeedup-memory/tests"
    selected = [f"{tests_of}/test_crash.py", f"{tests_of}/test_kill.py", "-rP", *PATIENT]
    environment = {"PYSPEEDUP_CRASH_ROUNDS": rounds}
    session.run("python", "-m", "pytest", *selected, *session.posargs, env=environment)


@nox.session(default=False, python=PYTHONS[0], venv_backend="uv", requires=["build"])
@nox.parametrize("package", PACKAGES)
def minimums(session: nox.Session, package: str) -> None:
    """Run a package's tests on the lowest versions that it allows."""
    requirement = f"pyspeedup-{package}[testing]=={_version()}"
    _install_built(session, "--resolution=lowest-direct", requirement)
    session.run("python", "-m", "pytest", f"packages/pyspeedup-{package}/tests", *session.posargs)


@nox.session(default=False)
def coverage(session: nox.Session) -> None:
    """Measure which lines and branches the tests of all packages reach."""
    for package in PACKAGES:
        session.install("--editable", f"packages/pyspeedup-{package}")
    session.install("coverage[toml]", *_group("test"))
    session.run("coverage", "run", "-m", "pytest", "packages", *session.posargs)
    session.run("coverage", "combine")
    session.run("coverage", "report")


@nox.session(default=False, requires=["build"])
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error."""
    _install_built(session, f"pyspeedup[all,dask]=={_version()}", *_group("test"), *_group("docs"))
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session(default=False, requires=["build"])
@nox.parametrize("script", list(PEERS))
def bench(session: nox.Session, script: str) -> None:
    """Print a table of benchmarks/: ratios to named peers in one run."""
    _install_built(session, f"pyspeedup[all]=={_version()}", *PEERS[script])
    quick = ["--rounds=1", "--quick"]
    few = {"memory": ["--rounds=1", "--cap=1"], "concurrent": quick, "algorithms": quick}
    session.run("python", f"benchmarks/bench_{script}.py", *(session.posargs or few[script]))


@nox.session(default=False, venv_backend="none")
def bump(session: nox.Session) -> None:
    """Write one version wherever it stands: ``nox -s bump -- 1.1.0``."""
    if len(session.posargs) != 1 or not re.fullmatch(r"\d+\.\d+\.\d+\w*", session.posargs[0]):
        session.error("give the new version, as in: nox -s bump -- 1.1.0")
    old, new = _version(), session.posargs[0]
    for path in [Path("README.md"), *Path("packages").glob("*/README.md")]:
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(f'=={old}"', f'=={new}"'), encoding="utf-8")
    for path in Path("packages").glob("*/pyproject.toml"):
        text = path.read_text(encoding="utf-8").replace(f'version = "{old}"', f'version = "{new}"')
        text = re.sub(rf"(pyspeedup-\w+(?:\[\w+\])?==){re.escape(old)}", rf"\g<1>{new}", text)
        path.write_text(text, encoding="utf-8")
    session.log(f"{old} -> {new}; now write the heading in CHANGELOG.md")


if __name__ == "__main__":
    nox.main()
