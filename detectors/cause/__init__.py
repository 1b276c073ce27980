"""Causes: which slices, columns and kinds of change a measure's change comes from."""
