"""The pages, one a module: `draw` asks the reader and returns a `Page`. All state is in the address."""
