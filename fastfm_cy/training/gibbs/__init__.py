"""Gibbs sampling: parameters drawn from their posterior, not minimised."""
