"""How Sphinx builds the documentation."""

from importlib import import_module
from importlib.metadata import version as version_of

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.logging import getLogger

project = "pyspeedup"
author = "The pyspeedup maintainers"
copyright = "2026, the pyspeedup maintainers"  # noqa: A001 -- the name that Sphinx asks for
version = release = version_of("pyspeedup-core")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"pyspeedup {release}"
html_copy_source = False

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
default_role = "code"

PACKAGES = ["core", "core.testing", "memory", "concurrent", "algorithms"]


def setup(app: Sphinx) -> None:
    """Have the build check the reference against what the packages offer."""
    app.connect("env-check-consistency", warn_of_names_left_out)


def warn_of_names_left_out(_app: Sphinx, environment: BuildEnvironment) -> None:
    """Warn, which fails a build with -W, of each public name that no page of the reference has."""
    documented = environment.domaindata["py"]["objects"]
    for package in PACKAGES:
        module = import_module(f"pyspeedup.{package}")
        for name in set(module.__all__) - {"__version__"}:
            if f"{module.__name__}.{name}" not in documented:
                getLogger(__name__).warning("%s.%s is in no page", module.__name__, name)
