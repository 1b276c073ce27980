"""Measures that users write as an expression over the columns of labelled rows."""
