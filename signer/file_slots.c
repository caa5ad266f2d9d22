#include "signer/file_slots.h"

#include <sys/stat.h>

uint16_t file_slots_find(struct file_slots *slots, int fd, bool *is_new)
{
    struct stat status;
    uint16_t oldest = 0;

    *is_new = true;
    if (fstat(fd, &status) != 0)
        return SIGNER_SLOT_ONCE;
    slots->now++;
    for (unsigned i = 0; i < SIGNER_FILE_SLOTS; i++) {
        struct file_slot *slot = &slots->slots[i];

        if (slot->used_at && slot->inode == status.st_ino && slot->device == status.st_dev) {
            slot->used_at = slots->now;
            *is_new = false;
            return (uint16_t)i;
        }
        if (slot->used_at < slots->slots[oldest].used_at)
            oldest = (uint16_t)i;
    }
    slots->slots[oldest] = (struct file_slot){status.st_dev, status.st_ino, slots->now};
    return oldest;
}

void file_slots_forget(struct file_slots *slots, uint16_t slot)
{
    slots->slots[slot] = (struct file_slot){0};
}

void file_slots_clear(struct file_slots *slots)
{
    *slots = (struct file_slots){0};
}
