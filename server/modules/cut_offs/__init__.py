"""Cut-offs: until when an order must be ready, by ship method, weekday and date."""

from __future__ import annotations

from typing import Final

from server.cut_offs.recomputing import PAUSE_S, Recomputing
from server.cut_offs.rows import waiting
from server.modules.cut_offs import command, routes
from server.registration import Command, Job, JobContext, Module

EVERY_S: Final = 60.0


def _job(context: JobContext) -> None:
    """Let open orders follow schedules that were changed by request, or by a command that was ended."""
    database = context.database
    recomputing = Recomputing(database.engine, database.store, pause=lambda: context.stopping.wait(PAUSE_S))
    with database.engine.execution_options(is_reading=True).begin() as connection:
        sites = waiting(connection)
    for site in sites:
        if not context.stopping.is_set():
            recomputing.run(site)


MODULE: Final = Module(
    name="cut-offs",
    routes=routes.ROUTES,
    commands=(Command("cut-off", "set, list and try out cut-offs", command.configure, command.run),),
    jobs=(Job(routes.JOB, EVERY_S, _job),),
)
