"""A line becomes numbers."""
