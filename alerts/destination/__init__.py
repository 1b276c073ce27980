"""Where people are told, a file for each kind of destination; `kind` lists them. Imports core only."""
