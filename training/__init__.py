"""How the shipped model is made and measured; imports `cleaner`, never the other way round."""

#: The share of an article's body words that the default threshold may lose.
DEFAULT_LOSS = 0.01
