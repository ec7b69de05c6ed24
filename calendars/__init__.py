"""The calendars of a site: its clocks, its schedules of cut-offs, and how people write them. Pure.

Nothing here knows of boards, tables or requests: a schedule and a zone go in, instants and words come out.
"""
