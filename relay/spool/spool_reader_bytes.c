/* Reads a message's bytes beside the writer, without a lease: whatever happened to the segment
 * meanwhile, if the row still names the same place afterwards, then the bytes were the message's.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "relay/base/crc32c.h"
#include "relay/spool/queue_id.h"
#include "relay/spool/record.h"
#include "relay/spool/segment.h"
#include "relay/spool/spool_reader_private.h"
#include "relay/spool/store_rows.h"
#include "sql/queue_schema.h"

enum { TRIES = 5 };

/* Where it lies now; 0, -ENOENT or -errno. */
static int find_place(struct spool_reader *reader, uint64_t id, struct stored **out)
{
    int result = spool_reader_open(reader);
    struct statement *find;

    if (result)
        return result;
    find = db_statement(reader->db, QUEUE_FIND_MESSAGE);
    bind_number(find, 1, (int64_t)id);
    result = statement_step(find);
    if (result != STATEMENT_ROW)
        return result ? result : -ENOENT;
    *out = store_read_stored(find);
    statement_reset(find);
    return *out ? 0 : FAULT(-ENOMEM);
}

static int open_file(const struct spool_reader *reader, const struct stored *stored)
{
    char path[PATH_MAX], name[SEGMENT_NAME_SIZE + QUEUE_ID_SIZE];
    int fd;

    if (stored->is_large)
        queue_id_format(stored->id, name);
    else
        segment_name(place_segment(stored->place), name);
    (void)snprintf(path, sizeof(path), "%s/%s/%s", reader->dir,
                   stored->is_large ? "large" : "segments", name);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

/* 0, -EBADMSG when the file ends before, or -errno. */
static int read_at(int fd, char *out, size_t length, uint64_t offset)
{
    while (length) {
        ssize_t n = pread(fd, out, length, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? FAULT(-errno) : -EBADMSG;
        out += n;
        length -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

static int check_record(int fd, const struct stored *stored)
{
    uint8_t head[RECORD_HEADER_BYTES];
    struct record record;
    int error = read_at(fd, (char *)head, sizeof(head), place_offset(stored->place));

    if (error == 0)
        error = record_decode(&record, head);
    if (error == 0 && (record.id != stored->id || record.place != stored->place))
        error = -EBADMSG;
    return error;
}

/* Behind what out holds; checked as a whole when it is read as a whole. */
static int read_bytes(int fd, const struct stored *stored, uint64_t most, struct buffer *out)
{
    uint64_t whole = stored_size(stored), length = most < whole ? most : whole;
    uint64_t offset = stored->is_large ? 0
                                       : place_offset(stored->place) + RECORD_HEADER_BYTES +
                                             stored->envelope_bytes;
    int error = stored->is_large ? 0 : check_record(fd, stored);

    if (error == 0)
        error = buffer_reserve(out, length);
    if (error == 0)
        error = read_at(fd, out->data + out->len, length, offset);
    if (error == 0 && length == whole &&
        crc32c(0, slice_from(out->data + out->len, length)) != stored->crc)
        error = -EBADMSG;
    if (error == 0)
        out->len += length;
    return error;
}

/* 0: good; -EAGAIN: it was moved meanwhile; else as found. */
static int read_once(struct spool_reader *reader, const struct stored *stored, uint64_t most,
                     struct buffer *out)
{
    struct stored *after = NULL;
    size_t before = out->len;
    int fd = open_file(reader, stored), error, found;

    error = fd < 0 ? fd : read_bytes(fd, stored, most, out);
    if (fd >= 0)
        close(fd);
    found = find_place(reader, stored->id, &after);
    if (found == 0 && after->place != stored->place)
        found = -EAGAIN;
    stored_unref(after);
    if (found || error)
        out->len = before;
    return found ? found : error == -ENOENT ? -EBADMSG : error;
}

int spool_reader_bytes(struct spool_reader *reader, uint64_t id, uint64_t most, struct buffer *out,
                       uint32_t *header_bytes)
{
    int result = -EAGAIN;

    for (int tries = 0; result == -EAGAIN && tries < TRIES; tries++) {
        struct stored *stored = NULL;

        result = find_place(reader, id, &stored);
        if (result)
            return result;
        *header_bytes = stored->header_bytes;
        result = read_once(reader, stored, most, out);
        stored_unref(stored);
    }
    return result;
}
