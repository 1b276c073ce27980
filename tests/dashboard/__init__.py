"""The dashboard without a browser; `twin` is the reader that its tests and the browser's read."""
