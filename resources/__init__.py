"""Data only: themes, style sheets, sounds, translations. Read through ``importlib.resources``."""
