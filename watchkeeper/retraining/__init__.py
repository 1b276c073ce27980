"""What retraining asks of the stores."""
