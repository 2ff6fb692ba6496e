"""Child processes, and how things travel to them and errors back."""
