"""Destinations of notifications, a file for each kind; `kind` lists them. Imports core only."""
