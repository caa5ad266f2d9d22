/* Bytes through a descriptor, all or nothing.
 * Thread: any. */
#pragma once

#include "relay/base/buffer.h"

MUST_USE int file_write_all(int fd, struct slice bytes); /* 0 or -errno */

/* Appends what is left to be read, limit bytes at most.  Makes room for that much at once: a secret
 * leaves no copies behind as the buffer grows.  0, -EFBIG (there is more), -ENOMEM or -errno. */
MUST_USE int file_read_all(int fd, size_t limit, struct buffer *out);
