"""The stores: facts in ClickHouse (or chDB), control state in a relational database. Imports core."""
