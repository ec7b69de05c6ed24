"""What the client looks like: data in, signals out.

Board, cards, panels, overlay, dialogs and theme. Never any I/O: rows arrive through the protocol
``RowSource``, intents leave as signals.
"""
