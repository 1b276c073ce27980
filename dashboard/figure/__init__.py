"""Figures: pure functions from rows to plotly figures as plain dicts, with colours by name. They import no dash and no plotly, and do no I/O."""
