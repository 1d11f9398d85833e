"""Many documents: where they come from, where they go, and the run between."""
