"""Mathematics as MathML: no script, no font to load, nothing from the network.

Every browser of the last years draws MathML; equations are text that can be searched and copied.
"""

from html import escape

from docutils.nodes import SkipNode
from latex2mathml.converter import convert


def setup(app):
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def mathml(latex, display):
    """The markup of a formula, whose source stands in it as its text for readers aloud."""
    markup = convert(latex.strip(), display=display)
    return markup.replace("<math ", f'<math alttext="{escape(latex.strip())}" ', 1)


def visit_math(translator, node):
    translator.body.append(f'<span class="math">{mathml(node.astext(), "inline")}</span>')
    raise SkipNode


def visit_displaymath(translator, node):
    translator.body.append(f'<div class="math">{mathml(node.astext(), "block")}</div>\n')
    raise SkipNode
