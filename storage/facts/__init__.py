"""The fact store: events, panes, outcomes and readings in ClickHouse, or in chDB within the process. Imports core."""
