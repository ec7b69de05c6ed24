"""How orders look outside: what other programs wrote and ask, and what they are told and given.

Nothing here knows of boards, the server or the desktop, and nothing is kept. It ends with what a source says
of each order, and with what of that is refused or doubtful. ``reader`` reads files, through a temporary one
where memory would not do; ``single`` reads one request of a shop, ``plain_order`` and ``plain_operation``
what a program sends in our own words. ``exported`` and ``told`` are the way out.
"""
