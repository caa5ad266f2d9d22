/* A message made fit for a peer without 8BITMIME, in a memory file; long ones are converted by a
 * worker thread.  Thread: the loop's. */
#pragma once

#include "relay/delivery/letter.h"

struct seven_bit;

/* done(owner, result) on a later turn, unless seven_bit_free() came before: 0, MIME_UNCONVERTIBLE
 * (positive), -EBADMSG (the bytes are damaged), -ENOMEM, -EIO.  NULL without memory. */
struct seven_bit *seven_bit_start(struct letter *letter, void (*done)(void *owner, int result),
                                  void *owner);
void seven_bit_free(struct seven_bit *converted); /* accepts NULL */

int seven_bit_fd(const struct seven_bit *converted); /* good as long as converted */
uint64_t seven_bit_length(const struct seven_bit *converted);
uint32_t seven_bit_crc(const struct seven_bit *converted);
