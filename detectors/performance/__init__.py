"""Measures of the family `performance`, a file for each measure or close family of measures."""
