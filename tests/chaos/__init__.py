"""A cluster under random kills, freezes and rebalances, for a chosen time."""
