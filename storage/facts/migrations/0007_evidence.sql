-- Losses are rows of a list, so that another one needs no migration: their names, the rows that have each, its sum and its sum of squares. Panes from before
-- have three of them as columns, whose squares were not summed; these columns are not written any more.
ALTER TABLE performance_panes
    ADD COLUMN IF NOT EXISTS loss Array(LowCardinality(String))
        DEFAULT if(n > 0 AND empty(cell_count), ['error', 'absolute', 'square'], []),
    ADD COLUMN IF NOT EXISTS loss_count Array(UInt64) DEFAULT if(n > 0 AND empty(cell_count), [n, n, n], []),
    ADD COLUMN IF NOT EXISTS loss_sum Array(Float64) DEFAULT if(n > 0 AND empty(cell_count), [error_sum, absolute_sum, square_sum], []),
    ADD COLUMN IF NOT EXISTS loss_square Array(Float64) DEFAULT if(n > 0 AND empty(cell_count), [nan, nan, nan], []);

-- Moments of numeric columns, and a sketch of the distinct values without a bin of their own. `measured` counts the rows that have them: of panes from before
-- none. `square` is about the middle edge of the column's bins.
ALTER TABLE panes
    ADD COLUMN IF NOT EXISTS measured SimpleAggregateFunction(sum, UInt64),
    ADD COLUMN IF NOT EXISTS square SimpleAggregateFunction(sum, Float64),
    ADD COLUMN IF NOT EXISTS absolute SimpleAggregateFunction(sum, Float64),
    ADD COLUMN IF NOT EXISTS low SimpleAggregateFunction(min, Float64) DEFAULT inf,
    ADD COLUMN IF NOT EXISTS high SimpleAggregateFunction(max, Float64) DEFAULT -inf,
    ADD COLUMN IF NOT EXISTS outside SimpleAggregateFunction(sum, UInt64),
    ADD COLUMN IF NOT EXISTS sketch SimpleAggregateFunction(maxMap, Map(UInt16, UInt8));
