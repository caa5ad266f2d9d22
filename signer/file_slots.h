/* Which descriptors the signer holds for this channel, told apart by what they are (device and
 * inode), not by number: the signer keeps the inode alive, so nothing else can come to be it.
 * Thread: the loop's. */
#pragma once

#include <sys/types.h>

#include "signer/protocol.h"

struct file_slots {
    struct file_slot {
        dev_t device;
        ino_t inode;
        uint64_t used_at; /* 0: empty */
    } slots[SIGNER_FILE_SLOTS];
    uint64_t now; /* counts uses */
};

/* The slot for fd.  *is_new: the descriptor must be sent; it takes the place of the one that was
 * not used for longest.  SIGNER_SLOT_ONCE when fd cannot be told apart. */
uint16_t file_slots_find(struct file_slots *slots, int fd, bool *is_new);
void file_slots_forget(struct file_slots *slots, uint16_t slot);
void file_slots_clear(struct file_slots *slots);
