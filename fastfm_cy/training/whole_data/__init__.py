"""Training on all pairs of users and items, those without an interaction included."""
