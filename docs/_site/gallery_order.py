"""The order of the gallery: from the first fit to serving."""

ORDER = (
    "libfm_and_lightfm",
    "ratings_with_side_features",
    "clicks_with_fields",
    "text",
    "ordinal_ratings",
    "uncertainty",
    "recommendations",
    "relational_blocks",
    "tuning",
    "streaming",
    "out_of_core",
    "serving",
)


def key(filename):
    return ORDER.index(filename.removesuffix(".py"))
