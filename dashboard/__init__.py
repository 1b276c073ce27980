"""The dashboard: pages drawn from what the reader answers. May import core, and nothing else of ours; the home of dash and plotly."""
