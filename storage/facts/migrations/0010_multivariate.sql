-- Sums over all features together, in the rows of column '': whole numbers by place. Panes from before have none.
ALTER TABLE panes
    ADD COLUMN IF NOT EXISTS joint SimpleAggregateFunction(sumMap, Map(UInt16, Int64));
