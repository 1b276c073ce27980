"""Which processes and servers are alive, and the status of the whole cluster."""
