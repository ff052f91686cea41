"""Data: what is learned from, checked once; rows, fields, targets, data sets on disk."""
