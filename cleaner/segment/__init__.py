"""Text becomes lines."""
