"""The control store: contracts, monitors, destinations, episodes, outbox, audit, cursors. Imports core."""
