"""Which owners have work, and the threads in which they do it."""
