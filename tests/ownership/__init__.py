"""Owners of models, and which event of an id counts, with several partitions, several owners and former owners."""
