"""Reads definitions: from YAML to monitors and declared contracts. Every fault is reported with its line."""
