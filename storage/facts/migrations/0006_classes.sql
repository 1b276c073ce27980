-- Of a batch: its rows whose prediction or label is none of the model's classes.
ALTER TABLE batches
    ADD COLUMN IF NOT EXISTS outside UInt64 DEFAULT 0 AFTER rejected;

-- Of a pane: its labelled rows with a score for any class. In panes from before, rows counted only with a score for every class.
ALTER TABLE performance_panes
    ADD COLUMN IF NOT EXISTS scored UInt64 DEFAULT 0 AFTER n;
