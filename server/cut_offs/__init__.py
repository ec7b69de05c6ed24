"""Cut-offs: the schedules of a site, and the next cut-off after an order's arrival."""
