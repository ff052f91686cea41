"""The order of the gallery: from the first fit to serving."""

ORDER = ("text",)


def key(filename):
    return ORDER.index(filename.removesuffix(".py"))
