"""How Watchkeeper runs together with the servers that it needs: containers, and the same servers without them."""
