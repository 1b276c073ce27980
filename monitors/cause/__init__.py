"""The causes of a measure's change: what is read of panes and raw rows, and what `detectors.cause` finds in it."""
