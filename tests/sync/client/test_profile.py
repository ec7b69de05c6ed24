"""The profile folder: ours or refused with a sentence, one engine at a time, never on a network."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path, PurePosixPath

import pytest

from sync.client.profile import default_profile, open_profile
from sync.client.stores import filesystems
from sync.client.stores.filesystems import mounted_kind, network_kind
from sync.contract.problems import ProblemError

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def problem(folder: Path) -> str:
    """Return the code of what is wrong with ``folder``, and check that it says what to do."""
    with pytest.raises(ProblemError) as caught:
        open_profile(folder)
    assert str(folder) in caught.value.problem.sentence
    assert caught.value.problem.what_to_do
    return caught.value.problem.code


def test_a_missing_folder_is_made_and_found_again(tmp_path: Path) -> None:
    """Private to its owner, with everything inside."""
    made = open_profile(tmp_path / "deep" / "profile")
    assert stat.S_IMODE(made.folder.stat().st_mode) == 0o700
    places = [made.outbox, made.cache, made.telemetry, made.settings, made.logs, made.server, made.socket]
    assert {place.parent for place in places} == {made.folder}
    assert len(set(places)) == len(places)
    assert open_profile(made.folder) == made


def test_what_starts_earlier_may_be_there_already(tmp_path: Path) -> None:
    """Logs, settings and the embedded server do not make a folder foreign; nor does a half-written mark."""
    for name in ("logs", "server"):
        (tmp_path / name).mkdir()
    for name in ("settings.json", "profile.json.new"):
        (tmp_path / name).touch()
    assert open_profile(tmp_path).folder == tmp_path


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """A path that names a file."""
    file = tmp_path / "file"
    file.touch()
    assert problem(file) == "PROFILE_NOT_A_FOLDER"


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    """Somebody's documents are not turned into a profile."""
    (tmp_path / "letter.txt").touch()
    assert problem(tmp_path) == "PROFILE_FOREIGN"
    assert [each.name for each in tmp_path.iterdir()] == ["letter.txt"]


def test_another_programs_mark_is_foreign(tmp_path: Path) -> None:
    """Its name is in the mark."""
    (tmp_path / "profile.json").write_text(json.dumps({"product": "other", "format": 1}))
    assert problem(tmp_path) == "PROFILE_FOREIGN"


def test_a_later_release_is_left_alone(tmp_path: Path) -> None:
    """A newer format is not opened."""
    (tmp_path / "profile.json").write_text(json.dumps({"product": "fulfillment-kanban", "format": 2}))
    assert problem(tmp_path) == "PROFILE_TOO_NEW"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"product": 1}'])
def test_a_damaged_mark_is_a_sentence(tmp_path: Path, text: str) -> None:
    """No traceback for a file that somebody edited."""
    (tmp_path / "profile.json").write_text(text)
    assert problem(tmp_path) == "PROFILE_UNREADABLE"


def test_a_mark_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    """Whatever the system says about it."""
    (tmp_path / "profile.json").mkdir()
    assert problem(tmp_path) == "PROFILE_UNREADABLE"


@pytest.mark.skipif(IS_ROOT, reason="root may write everywhere")
def test_a_used_folder_that_is_read_only_is_a_profile_with_a_hindrance(tmp_path: Path) -> None:
    """Its board can still be shown; the reason is known before the first move is made."""
    open_profile(tmp_path)
    tmp_path.chmod(0o500)
    try:
        assert open_profile(tmp_path).hindrance == "its folder cannot be written"
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the system only says so when asked; without it there is no hindrance."""
    assert open_profile(tmp_path).hindrance == ""
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert open_profile(tmp_path).hindrance == "its folder cannot be written"


@pytest.mark.skipif(sys.platform == "win32", reason="asks the system about the disk")
def test_a_read_only_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That, and not the rights, is what IT has to look at."""
    open_profile(tmp_path)
    monkeypatch.setattr(os, "access", lambda *_: False)

    class Disk:
        f_flag = os.ST_RDONLY

    monkeypatch.setattr(os, "statvfs", lambda _path: Disk)
    assert open_profile(tmp_path).hindrance == "its disk is read-only"


def test_the_lock_of_a_profile_that_cannot_be_written(tmp_path: Path) -> None:
    """Who holds it holds it still; where there is none, there is nobody."""
    made = open_profile(tmp_path)
    hindered = made._replace(hindrance="its disk is read-only")
    free = hindered.lock()
    assert free is not None
    free.release()
    assert not made.lock_file.exists()
    running = made.lock()
    assert running is not None
    assert hindered.lock() is None
    running.release()
    again = hindered.lock()
    assert again is not None
    again.release()


def test_only_one_engine_holds_a_profile(tmp_path: Path) -> None:
    """The second gets nothing, until the first lets go."""
    made = open_profile(tmp_path)
    first = made.lock()
    assert first is not None
    assert made.lock() is None
    first.release()
    second = made.lock()
    assert second is not None
    second.release()


def test_a_lock_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    """Not "another engine is running", which would be untrue."""
    made = open_profile(tmp_path)
    made.lock_file.mkdir()
    with pytest.raises(ProblemError) as caught:
        made.lock()
    assert caught.value.problem.code == "PROFILE_UNREADABLE"


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /srv/my\\040share rw - nfs4 server:/x rw
31 30 8:2 / /srv/my\\040share/local rw - xfs /dev/sdb1 rw
32 22 0:41 / /mnt/twice rw - ext4 /dev/sdc1 rw
33 22 0:42 / /mnt/twice rw - cifs //server/y rw
broken line
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/ana", "ext4"),
        ("/srv/my share", "nfs4"),
        ("/srv/my share/deep/er", "nfs4"),
        ("/srv/my share/local/x", "xfs"),
        ("/srv/my share2", "ext4"),
        ("/mnt/twice/a", "cifs"),
    ],
)
def test_the_deepest_and_latest_mount_counts(folder: str, kind: str) -> None:
    """Mount points nest, hide each other and have blanks in their names."""
    assert mounted_kind(PurePosixPath(folder), MOUNTS) == kind


@pytest.mark.parametrize(
    "mount",
    [
        "nfs4 files:/export/home rw,vers=4.2,hard,proto=tcp,sec=sys,clientaddr=10.0.0.7",
        "nfs files:/export/home rw,vers=3,hard,proto=tcp,mountvers=3",
        "cifs //files/home rw,vers=3.1.1,sec=krb5,uid=1000,soft",
        "smb3 //files/home rw,vers=3.1.1",
        "9p hostshare rw,sync,dirsync,access=client,trans=virtio",
        "fuse.sshfs ana@files:/home rw,user_id=1000,group_id=1000",
        "fuse.glusterfs files:/volume rw,user_id=0,group_id=0,allow_other",
        "fuse.rclone drive: rw,user_id=1000",
        "ceph 10.0.0.5:6789:/ rw,name=admin,secret=<hidden>",
        "davfs https://files/dav rw,uid=1000",
        "afs AFS rw",
        "lustre mds@tcp:/fs rw,flock",
    ],
)
def test_a_network_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mount: str) -> None:
    """The sentence names the filesystem; nothing is made there. Lines as Linux writes them."""
    table = tmp_path / "mountinfo"
    line = f"612 29 0:57 / {tmp_path} rw,relatime shared:338 - {mount}"
    table.write_text(f"29 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n{line}\n")
    monkeypatch.setattr(filesystems, "_MOUNTS", table)
    with pytest.raises(ProblemError) as caught:
        open_profile(tmp_path / "profile")
    assert caught.value.problem.code == "PROFILE_ON_NETWORK"
    assert f"({mount.partition(' ')[0]})" in caught.value.problem.sentence
    assert not (tmp_path / "profile").exists()


@pytest.mark.parametrize(
    "kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk", "f2fs", "exfat"]
)
def test_a_local_folder_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Also those that are rare."""
    table = tmp_path / "mountinfo"
    table.write_text(f"29 1 259:2 / / rw,relatime shared:1 master:3 - {kind} /dev/sda1 rw\n")
    monkeypatch.setattr(filesystems, "_MOUNTS", table)
    assert network_kind(tmp_path) == ""


def test_without_a_table_of_mounts_a_folder_counts_as_local(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Systems that do not tell must still be able to run the program."""
    monkeypatch.setattr(filesystems, "_MOUNTS", tmp_path / "missing")
    assert network_kind(tmp_path) == ""


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {}, "/home/ana/.local/share/fulfillment-kanban"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/fulfillment-kanban"),
        ("darwin", {}, "/home/ana/Library/Application Support/Fulfillment Kanban"),
        ("win32", {}, "/home/ana/AppData/Local/Fulfillment Kanban"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/Fulfillment Kanban"),
    ],
)
def test_the_default_profile_is_where_the_platform_keeps_data(
    monkeypatch: pytest.MonkeyPatch, platform: str, environ: dict[str, str], expected: str
) -> None:
    """One folder per person, by the platform's own rule."""
    monkeypatch.setattr(sys, "platform", platform)
    assert default_profile(environ, Path("/home/ana")) == Path(expected)


def test_a_name_that_no_disk_can_hold_is_a_problem(tmp_path: Path) -> None:
    """What cannot even be looked at ends in a sentence, as everything else does."""
    with pytest.raises(ProblemError) as raised:
        open_profile(tmp_path / ("n" * 300))
    assert raised.value.problem.code == "PROFILE_UNREADABLE"
