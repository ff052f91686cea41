"""Commands of fastfm-cy: one a file."""
