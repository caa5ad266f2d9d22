/* Bytes as a sealed, unnamed file: how the parent hands settings and certificates to a child.
 * Sealed: the reader knows that they do not change while it reads.  Thread: any. */
#pragma once

#include "relay/base/buffer.h"
#include "relay/base/fault.h"
#include "relay/base/slice.h"

/* *fd (close-on-exec) is the caller's.  name is seen in /proc only.  0 or -errno. */
MUST_USE int memory_file_new(int *fd, const char *name, struct slice bytes);

/* Appends the contents to out; 0, -EBADMSG when fd is no sealed memory file, -EFBIG above limit,
 * or -errno.  fd stays the caller's. */
MUST_USE int memory_file_read(int fd, size_t limit, struct buffer *out);
