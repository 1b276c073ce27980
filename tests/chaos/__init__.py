"""A cluster under random kills, freezes and rebalances, for as long as one likes."""
