"""Accuracy: errors on data, and of defaults."""
