"""The policy: what is told of open episodes, to whom, and when."""
