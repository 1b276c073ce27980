"""Finds which owners have work, and runs them in threads."""
