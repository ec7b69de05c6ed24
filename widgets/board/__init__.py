"""The board: one widget that paints all columns from rows it asks for."""
