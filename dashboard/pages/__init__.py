"""One page a module: `draw` asks the reader and gives a `Page`. All state comes from the address."""
