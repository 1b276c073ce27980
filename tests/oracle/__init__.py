"""The oracle: recomputes from the files, in pandas, numpy and scikit-learn, what readings must be. Imports nothing of ours."""
