"""What this process says of itself: metrics and log."""
