//! What to expect of a detector: precision, recall and false-positive rate by alarm budget, from scores of unlabeled samples and labeled anomalies that it was not trained on.
