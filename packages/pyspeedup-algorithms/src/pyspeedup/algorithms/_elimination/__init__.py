"""Echelon forms modulo a number that need not be prime."""
