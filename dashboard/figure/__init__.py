"""Figures: pure functions from rows to plain dicts, with colours by name. No dash, no plotly, no I/O."""
