/* Messages with descriptors between two processes, over a SOCK_SEQPACKET pair: whole or not at
 * all.  What the other side sends is checked here: magic, kind, lengths, number of descriptors.
 * Large contents (settings, certificates) travel as sealed memory files (memory_file.h).
 * Thread: any, one at a time per descriptor and direction. */
#pragma once

#include "relay/base/buffer.h"
#include "relay/base/fault.h"
#include "relay/base/slice.h"

enum { CHANNEL_MAX_FDS = 250, CHANNEL_MAX_BYTES = 65536 };

/* Between parent and children.  Other pairs (relay and signer) may use kinds from CHANNEL_OWN. */
enum channel_kind {
    CHANNEL_START = 1, /* parent → child, once: what the role needs */
    CHANNEL_RELOAD,    /* parent → child: the same, anew */
    CHANNEL_PEER,      /* parent → child: one descriptor, the fresh pair to the other child */
    CHANNEL_DRAIN,     /* parent → child: finish and exit */
    CHANNEL_READY,     /* child → parent: serves */
    CHANNEL_RELOADED,  /* child → parent: bytes empty, or why it kept the old settings */
    CHANNEL_PEER_LOST, /* child → parent: the pair is broken; a fresh CHANNEL_PEER for both */
    CHANNEL_OWN = 64,
};

struct channel_message {
    unsigned kind;
    struct buffer bytes;
    size_t n_fds;
    int fds[CHANNEL_MAX_FDS];
};

/* Both ends close-on-exec, blocking. */
MUST_USE int channel_pair(int fds[2]);

/* Descriptors are duplicated by the kernel; the caller's stay open.  0, -EAGAIN on a full
 * non-blocking channel, -EPIPE when nobody listens any more, -EMSGSIZE, or another -errno. */
MUST_USE int channel_send(int fd, unsigned kind, struct slice bytes, const int *fds, size_t n_fds);

/* 1: a message, whose descriptors (close-on-exec) and bytes are now the caller's; 0: the other
 * side is gone; -EAGAIN; -EBADMSG: not one of ours, everything in it was closed; or -errno.
 * message must be initialised: zeroed, or by an earlier receive and channel_message_fini(). */
MUST_USE int channel_receive(int fd, struct channel_message *message);

/* Closes the descriptors that were not taken (set to -1) and frees the bytes. */
void channel_message_fini(struct channel_message *message);
#define channel_message_cleanup channel_message_fini

/* Hands one descriptor on; -1 when there is none at index. */
int channel_take_fd(struct channel_message *message, size_t index);
