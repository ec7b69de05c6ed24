"""Reading orders that other programs wrote: text, delimited rows, JSON items, dates, mappings, orders.

Nothing here knows of boards, the server or the desktop, and nothing is kept. It ends with what a source says
of each order, and with what of that is refused or doubtful. ``reader`` reads files, through a temporary one
where memory would not do; ``single`` reads one request of a shop, ``plain_order`` what a program sends in our
own words.
"""
