"""Definitions as people write them: YAML to monitors and declared contracts, every fault told with its line."""
