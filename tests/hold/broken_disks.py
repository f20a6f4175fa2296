"""Disks that are full, read-only or gone, made with real mounts; only root can make them."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


def mount(*arguments: str) -> None:
    """Mount something; skip the test for users who may not."""
    ended = subprocess.run(["mount", *arguments], check=False, capture_output=True, text=True)
    if ended.returncode:
        pytest.skip(f"only root can mount a disk: {ended.stderr}")


def unmount(folder: Path) -> None:
    """Take away what was mounted last over a folder."""
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[None]:
    """Put a folder with its content on a disk of its own with a little more space."""
    kept = folder.with_name(f"{folder.name}-before")
    folder.rename(kept)
    folder.mkdir()
    used = sum(path.stat().st_size for path in kept.rglob("*") if path.is_file()) // 2**20
    mount("-t", "tmpfs", "-o", f"size={used + megabytes}m", "tmpfs", str(folder))
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        yield
    finally:
        unmount(folder)


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Fill the disk of a folder to the last byte."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (2**20, 4096, 1):
            with suppress(OSError):
                while file.write(b"x" * size):
                    pass
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def read_only_disk(folder: Path) -> Iterator[None]:
    """Let nobody open a file of a folder for writing."""
    mount("--bind", str(folder), str(folder))
    try:
        mount("-o", "remount,bind,ro", str(folder))
        yield
    finally:
        unmount(folder)


@contextmanager
def missing_disk(folder: Path) -> Iterator[None]:
    """Show an empty disk in place of a folder."""
    mount("-t", "tmpfs", "-o", "size=64k,ro", "tmpfs", str(folder))
    try:
        yield
    finally:
        unmount(folder)
