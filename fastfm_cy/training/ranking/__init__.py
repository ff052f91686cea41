"""Training of ranking models: rows in pairs, and items for users."""
