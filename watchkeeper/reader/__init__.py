"""Reads from the stores what the pages and the API show: a file for each kind of thing."""
