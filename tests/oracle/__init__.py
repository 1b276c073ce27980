"""The ruler: what readings must be, recomputed from the files in pandas, numpy and scikit-learn. Imports nothing of ours."""
