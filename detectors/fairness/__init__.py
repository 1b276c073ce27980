"""Measures of the family `fairness`: how different groups are treated. A file for each measure or close family of measures."""
