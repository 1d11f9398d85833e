"""Numbers become scores."""
