"""What client and server say to each other.

Stages, orders, operations, messages, codec, problems and the ports. Pure: the standard library, msgspec
and zstandard, no I/O, no clock, no Qt.
"""
