"""How Sphinx builds the documentation."""

from importlib.metadata import version as version_of

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
