"""Which processes and servers live, and how the whole cluster is."""
