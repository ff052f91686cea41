"""Panel: ordinary data of every kind, on which defaults are held against tuned models."""
