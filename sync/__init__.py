"""Everything that keeps terminals and server telling the same story.

``sync.contract`` is what both programs say to each other; ``sync.client`` is the engine of a terminal.
"""
