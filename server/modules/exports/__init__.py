"""Exports: orders as files, made in the background, page by page."""

from __future__ import annotations

import argparse
from typing import Final

from server.modules.exports import routes
from server.modules.exports.work import Exports
from server.registration import Command, CommandContext, Job, JobContext, Module


def _work(context: JobContext) -> None:
    _exports(context).work(context.stopping)


def _tidy(context: JobContext) -> None:
    _exports(context).tidy()


def _exports(context: JobContext) -> Exports:
    services = context.services
    return Exports(services.engine, services.folder, services.clock)


def _configure(parser: argparse.ArgumentParser) -> None:
    from server.modules.exports import command

    command.configure(parser)


def _run(arguments: argparse.Namespace, context: CommandContext) -> int:
    from server.modules.exports import command

    return command.run(arguments, context)


MODULE: Final = Module(
    name="exports",
    routes=routes.ROUTES,
    commands=(Command("export", "write the orders of a site into a file", _configure, _run),),
    jobs=(Job(routes.JOB, every_s=5, run=_work), Job("exports-tidy", every_s=600, run=_tidy)),
)
