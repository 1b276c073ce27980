"""Control state: contracts, monitors, destinations, episodes, outbox, cursors. Imports core."""
