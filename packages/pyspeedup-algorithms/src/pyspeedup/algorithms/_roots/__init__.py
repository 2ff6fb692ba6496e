"""Square roots modulo prime powers, and what joins them modulo a product."""
