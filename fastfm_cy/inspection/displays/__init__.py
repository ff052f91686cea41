"""Displays: pictures of what inspection finds, in scikit-learn's manner; they need matplotlib."""
