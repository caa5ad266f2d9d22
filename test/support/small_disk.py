"""A file system that can be filled: ext4 in a sparse file, mounted by loop.  Where mounting is not
allowed (containers), the test is skipped with the kernel's words."""
import os
import subprocess

import pytest


class SmallDisk:
    def __init__(self, image, folder, megabytes=96, inodes=None):
        self.image, self.folder, self.is_mounted = image, folder, False
        folder.mkdir(parents=True)
        with open(image, "wb") as file:
            file.truncate(megabytes * 1_000_000)
        # Blocks of 4 KB, as on every disk of a service: SQLite reserves its mapped queue.db-shm by
        # pages, and on smaller blocks (mkfs's choice for small disks) a full one ends in SIGBUS.
        words = ["mkfs.ext4", "-q", "-m", "0", "-b", "4096", "-O", "^has_journal"]
        if inodes:
            words += ["-N", str(inodes)]
        subprocess.run([*words, str(image)], check=True, capture_output=True, timeout=60)
        done = subprocess.run(["mount", "-o", "loop", str(image), str(folder)], text=True,
                              capture_output=True, timeout=60, check=False)
        if done.returncode:
            pytest.skip(f"mount -o loop is refused here: {done.stderr.strip()}")
        self.is_mounted = True
        folder.chmod(0o755)

    def free(self):
        now = os.statvfs(self.folder)
        return now.f_bavail * now.f_frsize

    def fill(self, leave=0):
        """Somebody else's file takes all but so many bytes."""
        with open(self.folder / "somebody else's", "ab") as file:
            while (room := self.free() - leave) > 0:
                try:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size,
                                       max(room, 4096))
                except OSError:
                    # The last blocks are the file system's own; one by one they can be had.
                    if room < 65536:
                        return
                    leave += 32768

    def clear(self):
        (self.folder / "somebody else's").unlink()

    def fill_inodes(self):
        """Takes every inode; returns how many."""
        (self.folder / "names").mkdir()
        n = 0
        while os.statvfs(self.folder).f_favail:
            (self.folder / "names" / str(n)).touch()
            n += 1
        return n

    def clear_inodes(self):
        for name in (self.folder / "names").iterdir():
            name.unlink()
        (self.folder / "names").rmdir()

    def stop(self):
        if not self.is_mounted:
            return
        if subprocess.run(["umount", str(self.folder)], check=False, timeout=60).returncode:
            # A process that a failed test left behind still holds it.
            subprocess.run(["umount", "-l", str(self.folder)], check=True, timeout=60)
        self.is_mounted = False
