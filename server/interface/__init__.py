"""What the outside world reads of orders and asks for: filters, the search index, exported orders, tags.

Routes, exports and commands share it; nothing here answers a request. What comes in is read by ``intake``.
"""
