"""What the reference leaves out: methods of scikit-learn's own, which its docs describe."""


def setup(app):
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def skip(app, kind, name, value, skipped, options):
    module = getattr(value, "__module__", None) or ""
    return True if module.startswith("sklearn.") or name.endswith("_request") else None
