/* The files under SQLite: how they come to be, and what is written otherwise than it would.
 * Thread: any. */
#pragma once

#include <sys/types.h>

#include "relay/base/fault.h"

/* Hashes and addresses are in a database, and a service may not change a file's mode; log and index
 * take over that of the database.  Only a file that was not there is opened here: closing a second
 * descriptor of one that SQLite has open would drop its locks.  0 or -errno. */
MUST_USE int db_make_private(const char *path);

/* The index (-shm) is a file that is mapped, and SQLite makes room in it by one octet in each 4 KB.
 * On a file system of smaller blocks the others of the page stay holes, and the first store into
 * one ends the process by SIGBUS when the disk is full.  So an octet like that behind the end of a
 * file is written with the rest of its page; everything else as it is.  pwrite(2) in all else. */
ssize_t db_write_page(int fd, const void *data, size_t length, off_t offset);
