"""How acknowledged changes outlive kill -9: they are recorded beside the store, and taken up again."""
