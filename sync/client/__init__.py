"""The sync engine of one terminal.

A step machine without I/O, its thin asyncio driver, cache, outbox and rebase. Knows no Qt, no widget and
no server code.
"""
