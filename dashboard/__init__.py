"""The dashboard: pages drawn from the reader's answers. Of ours it imports core only. No other package imports dash and plotly."""
