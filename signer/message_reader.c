#include "signer/message_reader.h"

#include <errno.h>

#include "relay/base/crc32c.h"
#include "signer/canonical.h"

void message_reader_start(struct message_reader *reader, int fd, uint64_t offset, uint64_t length,
                          uint32_t crc)
{
    buffer_clear(&reader->head);
    reader->fd = fd;
    reader->offset = offset;
    reader->left = length;
    reader->crc = 0;
    reader->wanted_crc = crc;
    reader->rest = SLICE_LITERAL("");
}

void message_reader_fini(struct message_reader *reader)
{
    buffer_fini(&reader->head);
    buffer_fini(&reader->chunk);
}

/* Appends the next chunk to into; 1, 0 at the end, or -errno. */
static int read_more(struct message_reader *reader, struct buffer *into)
{
    size_t wanted = reader->left < MESSAGE_CHUNK_BYTES ? (size_t)reader->left : MESSAGE_CHUNK_BYTES;
    ssize_t n_read;
    int error;

    if (wanted == 0)
        return 0;
    error = buffer_reserve(into, wanted);
    if (error)
        return error;
    do
        n_read = pread(reader->fd, into->data + into->len, wanted, (off_t)reader->offset);
    while (n_read < 0 && errno == EINTR);
    if (n_read < 0)
        return FAULT(-errno);
    if (n_read == 0)
        return FAULT(-EILSEQ);
    reader->crc = crc32c(reader->crc, slice_from(into->data + into->len, (size_t)n_read));
    into->len += (size_t)n_read;
    reader->offset += (uint64_t)n_read;
    reader->left -= (uint64_t)n_read;
    return 1;
}

int message_reader_header(struct message_reader *reader, struct slice *out)
{
    ptrdiff_t end = -1;
    int more = 1;

    while (end < 0 && more > 0) {
        if (reader->head.len > MESSAGE_HEADER_MAX)
            return FAULT(-EFBIG);
        more = read_more(reader, &reader->head);
        if (more < 0)
            return more;
        end = dkim_header_end(buffer_slice(&reader->head));
    }
    if (end < 0)
        end = (ptrdiff_t)reader->head.len; /* no empty line: no body */
    *out = slice_head(buffer_slice(&reader->head), (size_t)end);
    reader->rest = slice_skip(buffer_slice(&reader->head), (size_t)end);
    return 0;
}

int message_reader_body(struct message_reader *reader, struct slice *out)
{
    int more = 1;

    if (reader->rest.len == 0) {
        buffer_clear(&reader->chunk);
        more = read_more(reader, &reader->chunk);
        reader->rest = buffer_slice(&reader->chunk);
    }
    if (more < 0)
        return more;
    if (more == 0)
        return reader->crc == reader->wanted_crc ? 0 : -EILSEQ;
    *out = reader->rest;
    reader->rest = SLICE_LITERAL("");
    return 1;
}
