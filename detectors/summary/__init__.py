"""Mergeable summaries of blocks: input panes and performance panes. Imports core."""
