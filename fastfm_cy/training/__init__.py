"""Training: from a plan and rows to a table. It never sees an estimator."""
