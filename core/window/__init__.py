"""Windows of event time, a file for each kind; `kind` lists them. Imports core only."""
