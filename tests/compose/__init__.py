"""The files that run a cluster name what is there."""
