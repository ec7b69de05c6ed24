"""What the outside world reads and writes: plain orders, moments, filters, and sentences for what is wrong.

Routes, exports and commands share it; nothing here answers a request.
"""
