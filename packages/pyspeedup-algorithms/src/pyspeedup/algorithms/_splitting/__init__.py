"""The methods of `splitting`, one a module: each finds a proper divisor of a composite, or gives up."""
