"""How the shipped model is made and measured; imports `cleaner`, never the other way round."""

#: The share of an article's body words that the default threshold may lose, for models for text and for HTML.
DEFAULT_LOSS = {"text": 0.015, "html": 0.01}
