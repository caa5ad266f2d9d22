/* What the two halves of the I/O shim share: the spool's table (io_shim.c) and SQLite's VFS
 * (io_shim_vfs.c) count, fail and record their calls in one list.  Thread: any. */
#pragma once

#include "test/support/io_shim.h"

/* Counts a call, which waits while it is held; its error when it is to fail, else 0. */
int io_shim_count(enum io_call_kind kind, const char *path);

/* A call that was made, into the record when one is kept; data is copied; to: IO_RENAME's, or NULL.
 */
void io_shim_keep(enum io_call_kind kind, const char *path, uint64_t offset, const void *data,
                  size_t length, const char *to);

void io_shim_delay(void);    /* as a slow disk would, before a sync */
bool io_shim_is_short(void); /* the failing write takes half */
const char *io_shim_folder(void);

void io_shim_register_vfs(void); /* once; later calls do nothing */
