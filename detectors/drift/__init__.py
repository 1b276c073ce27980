"""Measures of the family `drift`, a file for each measure or close family of measures."""
