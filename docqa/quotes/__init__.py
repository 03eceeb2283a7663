"""Quotes: whether a sentence stands in the documents word for word, and where."""
