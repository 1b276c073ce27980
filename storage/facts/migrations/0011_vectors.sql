-- Of a prediction: its vectors, in the order of the contract version's vector columns, the only numbers that are kept as Float32. One that is null or invalid is empty.
ALTER TABLE predictions
    ADD COLUMN IF NOT EXISTS vectors Array(Array(Float32)) CODEC(ZSTD(1)) AFTER texts;
