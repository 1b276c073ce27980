"""What measures are computed from, read once for all monitors of a step: a file for each kind of evidence; `kind` lists them."""
