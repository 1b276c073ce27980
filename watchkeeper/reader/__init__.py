"""Reads what the pages and the API show from the stores: a file for each noun."""
