"""Rooms stay small enough to read in one sitting; the server stays small in all."""

from __future__ import annotations

from support import repository

KERNEL_LINES = 2_500
MODULE_LINES = 600
SERVER_LINES = 9_000
FILE_LINES = 600
DRIVER_LINES = 200


def test_the_kernel_is_small() -> None:
    """The kernel decides, stores and listens in at most 2,500 lines."""
    assert sum(map(repository.lines, repository.modules("server/kernel"))) <= KERNEL_LINES


def test_a_module_of_the_server_is_small() -> None:
    """One noun needs at most 600 lines, as a file or as a folder."""
    home = repository.ROOT / "server" / "modules"
    for module in sorted(home.glob("[!_]*")):
        if module.suffix == ".py":
            size = repository.lines(module)
        else:
            size = sum(map(repository.lines, module.rglob("*.py")))
        assert size <= MODULE_LINES, module.name


def test_the_server_is_small() -> None:
    """All of the server is at most 9,000 lines."""
    assert sum(map(repository.lines, repository.modules("server"))) <= SERVER_LINES


def test_no_file_bloats() -> None:
    """No file of ours grows to what main windows grow to elsewhere."""
    sizes = {
        str(path): repository.lines(path) for path in repository.modules(*repository.ROOMS, "tools", "bench")
    }
    assert not {path: size for path, size in sizes.items() if size > FILE_LINES}


def test_the_driver_decides_nothing() -> None:
    """The asyncio driver of the client stays under 200 lines: decisions belong into the step machine."""
    driver = repository.ROOT / "sync" / "client" / "driver.py"
    assert repository.lines(driver) < DRIVER_LINES
