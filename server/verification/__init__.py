"""Simulation of terminals and server on a virtual clock; never imported by production paths.

The one explained exception to "the server never imports the client": both sides have to meet
somewhere to be proved. ``simulation.run(seed)`` is the door.
"""
