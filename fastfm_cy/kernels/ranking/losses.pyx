"""The Python face of the ranking losses' codes."""
