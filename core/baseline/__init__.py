"""What windows are compared with, a file for each kind of baseline; `kind` lists them. Imports core only."""
