/* The signer's end of one loop's channel: its socket and the descriptors it was given to remember.
 * Workers share it: epoll's one-shot mode gives the socket's reading side, and with it the slots,
 * to one worker at a time; answers are sent by any (a datagram is whole or not at all).
 * Thread: see each function. */
#pragma once

#include <stdatomic.h>

#include "relay/base/fault.h"
#include "signer/protocol.h"

/* A descriptor that outlives its slot while a message is read from it.  Reference-counted. */
struct shared_file {
    atomic_uint n_refs;
    int fd;
};
struct shared_file *shared_file_new(int fd); /* takes fd; NULL without memory (fd is closed) */
struct shared_file *shared_file_ref(struct shared_file *file);
struct shared_file *shared_file_unref(struct shared_file *file); /* accepts NULL, returns NULL */

struct signer_connection {
    atomic_uint n_refs;
    atomic_uint n_turns; /* counted as the reading side is handed on: what one worker wrote into
                          * slots, the next one sees (C11 knows nothing of epoll) */
    int fd;
    unsigned place;                               /* in the process's table */
    struct shared_file *slots[SIGNER_FILE_SLOTS]; /* the reading worker's */
};

struct signer_connection *signer_connection_new(int fd); /* takes fd, as above */
struct signer_connection *signer_connection_ref(struct signer_connection *connection);
struct signer_connection *signer_connection_unref(struct signer_connection *connection);

/* Any worker.  Waits a second for room at most; a relay that does not read its answers is cut
 * off, which the reading worker then sees as the end. */
void signer_connection_send(struct signer_connection *connection, struct slice records);
