"""Reading order files that other programs wrote: text, delimited rows, JSON items, dates, mappings.

Ends with rows of text in our words; what becomes of them, :mod:`server.modules.imports` decides.
"""
