/* A layer under the spool that writes down, in order, every call durability rests on, and makes
 * the n-th of them fail: the spool's own through a struct io, SQLite's through a VFS.
 * Thread: any; one shim per process. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/spool/io.h"

extern const struct io io_shim;
#define IO_SHIM_VFS "io-shim"

/* Whoever names no VFS gets ours from now on (true), or the system's again. */
void io_shim_be_default(bool is_default);
/* Registers the VFS; forgets the record; nothing fails.  Paths are shown below folder. */
void io_shim_reset(const char *folder);

/* The n-th call from now (from 1) answers -error, and only that one.  IO_SHORT_WRITE: it fails as a
 * disk does that takes half of a write (of other calls: EIO). */
enum { IO_SHORT_WRITE = -1 };
void io_shim_fail(unsigned nth, int error);
/* The next call whose line starts with that text fails, and only that one. */
void io_shim_fail_next(const char *line_start, int error);
/* Every call whose line starts with that text fails from now on; NULL: none. */
void io_shim_fail_all(const char *line_start, int error);
/* Every sync of data takes this much longer. */
void io_shim_delay_syncs(unsigned microseconds);
/* Calls whose line starts with that text stop there until it is NULL again; the test waits until
 * one does. */
void io_shim_hold(const char *line_start);
void io_shim_wait_held(void);
bool io_shim_has_failed(void);  /* since io_shim_fail() */
unsigned io_shim_n_calls(void); /* that could have failed */

enum io_call_kind {
    IO_CREATE,   /* a name was made */
    IO_WRITE,    /* data at offset */
    IO_SIZE,     /* offset: the file's new length */
    IO_SYNC,     /* of a file */
    IO_SYNC_DIR, /* of a folder */
    IO_RENAME,   /* to: the new name */
    IO_REMOVE,
    IO_NOTE, /* the test's own: a receipt, say */
};

struct io_call {
    enum io_call_kind kind;
    char path[64]; /* below the folder; "" is the folder itself */
    char to[64];
    uint64_t offset;
    char *data;
    size_t length;
};

/* Starts recording what happens, with all data. */
void io_shim_record(void);
void io_shim_note(const char *text);
const struct io_call *io_shim_calls(size_t *n); /* valid until the next reset */
size_t io_shim_n_syncs(void);                   /* in the record */

/* Is it such a call, on a path that starts so? */
bool io_call_is_on(const struct io_call *call, enum io_call_kind kind, const char *start);

/* Tries 1, 2, 3 … until attempt says that the nth call was not reached any more; returns how many
 * were. */
unsigned io_shim_fail_each(bool (*attempt)(unsigned nth, int error), int error);
