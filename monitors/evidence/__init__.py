"""Reads the evidence that measures are computed from, once for all monitors of a step. Each kind of evidence has a file; `kind` lists them."""
