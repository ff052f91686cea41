"""Training on rows that lie apart: sessions, each with rows of its own, and who merges them."""
