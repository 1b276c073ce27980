"""Measures of the family `quality`, a file for each measure or close family of measures."""
