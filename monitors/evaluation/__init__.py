"""Evaluation: computes the readings of windows that are due."""
