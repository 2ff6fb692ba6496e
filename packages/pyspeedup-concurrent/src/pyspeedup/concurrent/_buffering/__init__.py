"""What a Buffer is made of."""
