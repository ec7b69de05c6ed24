"""How the programs measure themselves.

KPI catalogue, recorder, sketches, timers and process probes. Knows neither Qt nor ``sync.client``; what
it sends leaves through a callable that it is given.
"""
