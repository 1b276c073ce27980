"""The Dash pages. They read through a reader and act through a command port that this package declares. Imports core."""
