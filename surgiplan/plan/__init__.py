"""How a result comes about: operations, plans, evaluation and the case file; knows nothing of medicine."""
