"""Kinds of targets, which run a retraining."""
