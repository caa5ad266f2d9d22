#include "relay/base/file.h"

#include <errno.h>

int file_write_all(int fd, struct slice bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.data, bytes.len);

        if (n < 0 && errno != EINTR)
            return FAULT(-errno);
        if (n > 0)
            bytes = slice_skip(bytes, (size_t)n);
    }
    return 0;
}

int file_read_all(int fd, size_t limit, struct buffer *out)
{
    size_t start = out->len;
    ssize_t n;

    if (buffer_reserve(out, limit + 1) < 0)
        return FAULT(-ENOMEM);
    do {
        n = read(fd, out->data + out->len, limit + 1 - (out->len - start));
        if (n > 0)
            out->len += (size_t)n;
    } while (n > 0 || (n < 0 && errno == EINTR));
    if (n < 0)
        return FAULT(-errno);
    return out->len - start > limit ? FAULT(-EFBIG) : 0;
}
