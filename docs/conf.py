"""Configuration of the site: ``nox -s docs``, or ``sphinx-build -W docs build/site``."""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_site"))

project = "fastfm_cy"
author = "The fastfm_cy developers"
version = release = installed_version("fastfm_cy")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "myst_parser",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    # Of this folder's _site/:
    "api_members",
    "mathml",
    "outside_pages",
]
exclude_patterns = ["README.md", "gallery/*", "_*"]
templates_path = ["_templates"]

# Pages
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4  # as the code host makes them
myst_links_external_new_tab = False
suppress_warnings = ["config.cache"]  # functions in sphinx_gallery_conf

# Reference
autosummary_generate = True
autodoc_default_options = {"members": True, "inherited-members": True}
autodoc_typehints = "none"  # docstrings say the types
numpydoc_show_class_members = False  # the templates list them
numpydoc_class_members_toctree = False

# Plots of the performance page
plot_html_show_source_link = False
plot_html_show_formats = False
plot_formats = [("svg", 100)]
plot_rcparams = {"figure.figsize": (7, 3.2), "figure.constrained_layout.use": True}
plot_apply_rcparams = True

# Gallery
sphinx_gallery_conf = {
    "examples_dirs": ["gallery"],
    "gallery_dirs": ["examples"],
    "filename_pattern": "/",
    "ignore_pattern": r"__init__\.py",
    "within_subsection_order": "gallery_order.key",
    "doc_module": ("fastfm_cy",),
    "backreferences_dir": "api/backreferences",
    "show_memory": False,
    "show_signature": False,
    "plot_gallery": True,
    "image_srcset": ["2x"],
    "write_computation_times": False,
    "default_thumb_file": str(HERE / "_static" / "logo.svg"),
    "nested_sections": False,
}

# Looks
html_theme = "pydata_sphinx_theme"
html_title = f"fastfm_cy {release}"
html_static_path = ["_static"]
html_favicon = "_static/logo.svg"
html_context = {"default_mode": "auto"}
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {
        "text": "fastfm_cy",
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
    },
    "show_toc_level": 2,
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"index": [], "performance": [], "project/CHANGELOG": []}
project_copyright = author
