"""Pages of items: their bytes, their live objects, and which of them are in RAM."""
