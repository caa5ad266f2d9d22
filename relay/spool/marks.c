#include "relay/spool/marks.h"

#include <errno.h>

#include "relay/spool/parts.h"

enum { RUN_MOST = 1024 };

static uint64_t offset_of(const struct stored *stored, uint64_t place)
{
    return place_offset(place) + segments_bytes_of(stored);
}

static uint32_t count_run(const uint32_t *recipients, uint32_t n_recipients)
{
    uint32_t n = 1;

    while (n < n_recipients && n < RUN_MOST && recipients[n] == recipients[0] + n)
        n++;
    return n;
}

/* Also in a segment that was abandoned: nothing there is synced any more, but its pages can still
 * be written, and that is all a mark needs. */
static bool write_marks(const struct io *io, const struct segment *segment, uint64_t offset,
                        const uint32_t *recipients, uint32_t n_recipients, enum recipient_mark mark)
{
    char octets[RUN_MOST];
    uint32_t n_run;

    for (uint32_t i = 0; i < n_recipients; i += n_run) {
        struct iovec piece = {octets, 0};

        n_run = count_run(recipients + i, n_recipients - i);
        memset(octets, (int)mark, n_run);
        piece.iov_len = n_run;
        if (io->write(segment->fd, &piece, 1, offset + recipients[i] - 1) != (int64_t)n_run)
            return false;
    }
    return true;
}

/* Compaction may move the message while we write.  It changes the place before it looks once more
 * at the marks it left behind (marks_carry()), we look at the place after we have written: one of
 * us two sees the other. */
bool spool_mark(struct spool *spool, const struct stored *stored, const uint32_t *recipients,
                uint32_t n_recipients, enum recipient_mark mark)
{
    bool is_written;
    uint64_t place;

    do {
        struct segment *segment;

        if (segments_lease(&spool->segments, stored, &segment, &place))
            return false;
        is_written = write_marks(spool->io, segment, offset_of(stored, place), recipients,
                                 n_recipients, mark);
        segments_release(&spool->segments, place);
    } while (is_written && atomic_load(&stored->place) != place);
    return is_written;
}

void marks_finish(struct spool *spool, const struct spool_update *update)
{
    for (uint32_t i = 0; i < update->n_changes; i++) {
        const struct spool_change *change = &update->changes[i];

        /* Lost, it costs a second delivery after a rebuild, which is what marks make rare. */
        if (change->kind == CHANGE_FINISHED && !change->is_marked)
            (void)spool_mark(spool, update->stored, &change->n, 1, MARK_FINISHED);
    }
}

static int read_marks(const struct spool *spool, const struct stored *stored, uint64_t place,
                      char *out, uint32_t n)
{
    const struct segment *segment = segments_find(&spool->segments, place_segment(place));

    return segment ? io_read_all(spool->io, segment->read_fd, out, n, offset_of(stored, place))
                   : -EBADMSG;
}

void marks_carry(struct spool *spool, const struct move *move, uint64_t old_place)
{
    const struct stored *stored = move->stored;
    struct buffer *scratch = &spool->committer.scratch;
    uint32_t n = move->n_recipients;
    const uint8_t *left, *carried;

    buffer_clear(scratch);
    if (buffer_reserve(scratch, 2 * (size_t)n) ||
        read_marks(spool, stored, old_place, scratch->data, n) ||
        read_marks(spool, stored, move->place, scratch->data + n, n))
        return;
    left = (const uint8_t *)scratch->data;
    carried = left + n;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t recipient = i + 1;

        if (left[i] > carried[i])
            (void)spool_mark(spool, stored, &recipient, 1, (enum recipient_mark)left[i]);
    }
}

int marks_read(const struct spool *spool, const struct stored *stored, struct buffer *out)
{
    uint64_t place = atomic_load(&stored->place);
    const struct segment *segment = segments_find(&spool->segments, place_segment(place));
    uint8_t header[RECORD_HEADER_BYTES];
    struct record record;
    int error = segment ? io_read_all(spool->io, segment->read_fd, header, sizeof(header),
                                      place_offset(place))
                        : -EBADMSG;

    if (!error)
        error = record_decode(&record, header);
    /* Its name and place are in it: neither an earlier use of the segment nor another message's
     * marks can pass for these. */
    if (!error && (record.id != stored->id || record.place != place))
        error = -EBADMSG;
    buffer_clear(out);
    if (!error)
        error = buffer_reserve(out, record.n_recipients);
    if (!error)
        error = read_marks(spool, stored, place, out->data, record.n_recipients);
    if (!error)
        out->len = record.n_recipients;
    return error;
}
