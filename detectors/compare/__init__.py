"""Comparisons of versions, roles and arms of a model."""
