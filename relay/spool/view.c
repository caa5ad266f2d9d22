#include "relay/spool/view.h"

#include <errno.h>
#include <fcntl.h>

#include "relay/base/crc32c.h"
#include "relay/base/event.h"
#include "relay/base/list.h"
#include "relay/spool/parts.h"

/* ---- leases ---- */

static int open_large_file(const struct spool *spool, const struct stored *stored)
{
    char name[QUEUE_ID_SIZE];
    int fd;

    queue_id_format(stored->id, name);
    fd = spool->io->open(spool->large_dir_fd, name, O_RDONLY, 0);
    if (fd != -ENOENT)
        return fd;
    /* Finished in this moment, or lost? */
    return atomic_load(&stored->place) == PLACE_NONE ? -ENOENT : FAULT(-EBADMSG);
}

int spool_lease(struct spool *spool, const struct stored *stored, struct spool_view *view)
{
    struct segment *segment;
    uint64_t place;
    int error = segments_lease(&spool->segments, stored, &segment, &place), fd;

    if (error)
        return error;
    fd = stored->is_large ? open_large_file(spool, stored) : segment->read_fd;
    if (fd < 0) {
        segments_release(&spool->segments, place);
        return fd;
    }
    *view = (struct spool_view){
        .fd = fd,
        .generation = segment->generation,
        .offset = stored->is_large
                      ? 0
                      : place_offset(place) + RECORD_HEADER_BYTES + stored->envelope_bytes,
        .length = stored_size(stored),
        .header_bytes = stored->header_bytes,
        .crc = stored->crc,
        .record_fd = segment->read_fd,
        .owns_fd = stored->is_large,
        .envelope_bytes = stored->envelope_bytes,
        .place = place,
        .id = stored->id,
    };
    return 0;
}

void spool_release(struct spool *spool, struct spool_view *view)
{
    if (view->place == PLACE_NONE)
        return;
    if (view->owns_fd)
        close(view->fd);
    segments_release(&spool->segments, view->place);
    view->place = PLACE_NONE;
}

/* ---- reading ---- */

static int64_t read_cached(int fd, void *out, size_t length, uint64_t offset)
{
    struct iovec piece = {out, length};
    ssize_t n_read = preadv2(fd, &piece, 1, (off_t)offset, RWF_NOWAIT);

    /* A file system that cannot say what it has in memory mostly is memory. */
    if (n_read < 0 && errno == EOPNOTSUPP)
        n_read = preadv2(fd, &piece, 1, (off_t)offset, 0);
    return n_read < 0 ? -errno : n_read;
}

int64_t spool_read(const struct spool_view *view, uint64_t position, void *out, size_t length)
{
    int64_t n_read;

    if (position >= view->length)
        return 0;
    if (length > view->length - position)
        length = view->length - position;
    n_read = read_cached(view->fd, out, length, view->offset + position);
    return n_read == 0 ? FAULT(-EBADMSG) : n_read;
}

static int read_cached_all(int fd, char *out, size_t length, uint64_t offset)
{
    while (length > 0) {
        int64_t n_read = read_cached(fd, out, length, offset);

        if (n_read <= 0)
            return n_read ? (int)n_read : FAULT(-EBADMSG);
        out += n_read;
        length -= (size_t)n_read;
        offset += (uint64_t)n_read;
    }
    return 0;
}

int spool_read_envelope(const struct spool_view *view, struct buffer *buffer, struct arena *arena,
                        struct envelope *out)
{
    size_t length = RECORD_HEADER_BYTES + (size_t)view->envelope_bytes;
    struct record record;
    struct slice encoded;
    int error;

    buffer_clear(buffer);
    error = buffer_reserve(buffer, length);
    if (!error)
        error = read_cached_all(view->record_fd, buffer->data, length, place_offset(view->place));
    if (error)
        return error;
    buffer->len = length;
    encoded = slice_skip(buffer_slice(buffer), RECORD_HEADER_BYTES);
    if (record_decode(&record, (const uint8_t *)buffer->data) || record.id != view->id ||
        record.place != view->place || record.envelope_crc != crc32c(0, encoded))
        return FAULT(-EBADMSG);
    return envelope_decode(out, encoded, arena);
}

/* ---- bringing into memory ---- */

static int read_through(const struct io *io, const struct spool_view *view)
{
    enum { CHUNK_BYTES = 1 << 16 };
    CLEANUP(free) char *chunk = malloc(CHUNK_BYTES);
    uint32_t crc = 0;

    if (!chunk)
        return FAULT(-ENOMEM);
    for (uint64_t position = 0; position < view->length; position += CHUNK_BYTES) {
        uint64_t rest = view->length - position;
        size_t length = rest < CHUNK_BYTES ? rest : CHUNK_BYTES;
        int error = io_read_all(io, view->fd, chunk, length, view->offset + position);

        if (error)
            return error;
        crc = crc32c(crc, slice_from(chunk, length));
    }
    return crc == view->crc ? 0 : FAULT(-EBADMSG);
}

static int read_envelope_through(const struct io *io, const struct spool_view *view)
{
    size_t length = RECORD_HEADER_BYTES + (size_t)view->envelope_bytes;
    CLEANUP(free) char *bytes = malloc(length);

    if (!bytes)
        return FAULT(-ENOMEM);
    return io_read_all(io, view->record_fd, bytes, length, place_offset(view->place));
}

static void answer_fetch(struct task *task)
{
    struct spool_fetch *fetch = CONTAINER_OF(task, struct spool_fetch, task);

    fetch->done(fetch);
}

static void report_damaged(uint64_t id, const char *found_by)
{
    char text[QUEUE_ID_SIZE];

    queue_id_format(id, text);
    EVENT(EVENT_RECORD_DAMAGED, field_text("msg", text), field_text("found_by", found_by));
}

static void do_fetch(struct task *task)
{
    struct spool_fetch *fetch = CONTAINER_OF(task, struct spool_fetch, task);

    fetch->result = read_envelope_through(fetch->spool->io, fetch->view);
    if (!fetch->result)
        fetch->result = read_through(fetch->spool->io, fetch->view);
    if (fetch->result == -EBADMSG)
        report_damaged(fetch->view->id, "fetch");
    task->run = answer_fetch;
    mailbox_answer(fetch->answer_to, task);
}

bool spool_fetch(struct spool *spool, struct spool_fetch *fetch)
{
    fetch->spool = spool;
    fetch->task.run = do_fetch;
    return !atomic_load(&spool->is_stopping) && mailbox_post(spool->fetching.mailbox, &fetch->task);
}

void spool_report_damaged(const struct stored *stored, const char *found_by)
{
    report_damaged(stored->id, found_by);
}
