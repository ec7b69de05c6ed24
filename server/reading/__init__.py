"""Reading orders that other programs wrote: text, delimited rows, JSON items, dates, mappings, orders.

Pure: nothing here writes to a board or keeps a file. Ends with what a source says of each order, and with
what of it is refused or doubtful; :mod:`server.importing` brings files, ``single`` one request.
"""
