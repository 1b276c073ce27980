"""The process types of a cluster."""
