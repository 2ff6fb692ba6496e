"""From a name to an opened, locked, trusted and checked volume of pages."""
