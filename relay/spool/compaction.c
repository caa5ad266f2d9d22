/* Segments that a few messages keep from being used again are emptied: copy, sync, COMMIT the new
 * places, release.  A few messages per group, so nobody waits for it. */
#include <errno.h>

#include "relay/base/crc32c.h"
#include "relay/spool/marks.h"
#include "relay/spool/parts.h"

enum {
    SPARSE_SHARE = 4, /* a sealed segment with less than a quarter wanted */
    BYTES_PER_GROUP = 1 << 20,
};

static bool is_sparse(const struct segment *segment)
{
    return segment && segment->use == SEGMENT_SEALED && !segment->has_damage &&
           segment->n_live > 0 && segment->live_bytes < segment->size / SPARSE_SHARE;
}

static struct segment *find_emptiest(const struct spool *spool)
{
    struct segment *emptiest = NULL;

    for (uint32_t id = 1; id < spool->segments.next_id; id++) {
        struct segment *segment = segments_find(&spool->segments, id);

        if (is_sparse(segment) && (!emptiest || segment->live_bytes < emptiest->live_bytes))
            emptiest = segment;
    }
    return emptiest;
}

bool compaction_is_due(const struct spool *spool)
{
    return !spool->committer.needs_database && find_emptiest(spool) != NULL;
}

/* Reads the whole record of stored into scratch and checks it. */
static int read_record(struct spool *spool, const struct segment *segment,
                       const struct stored *stored, struct record *record)
{
    struct buffer *scratch = &spool->committer.scratch;
    uint64_t offset = place_offset(stored->place);
    uint8_t header[RECORD_HEADER_BYTES];
    struct slice envelope, bytes;
    int error = io_read_all(spool->io, segment->read_fd, header, sizeof(header), offset);

    if (!error)
        error = record_decode(record, header);
    if (!error && (record->id != stored->id || record->place != stored->place))
        error = -EBADMSG;
    buffer_clear(scratch);
    if (!error)
        error = buffer_reserve(scratch, record_bytes(record));
    if (!error)
        error =
            io_read_all(spool->io, segment->read_fd, scratch->data, record_bytes(record), offset);
    if (error)
        return error;
    scratch->len = record_bytes(record);
    envelope =
        slice_head(slice_skip(buffer_slice(scratch), RECORD_HEADER_BYTES), record->envelope_bytes);
    bytes = slice_from(envelope.data + envelope.len, record_inline_bytes(record));
    if (crc32c(0, envelope) != record->envelope_crc ||
        (!(record->flags & RECORD_LARGE) && crc32c(0, bytes) != record->crc))
        return -EBADMSG;
    return 0;
}

/* While it is copied a first attempt may begin and leave its mark at the old place.  So the copy of
 * what was born open says of everybody that a dot may have left: a recipient too many is told as
 * doubtful after a crash, none too few, and no mark is carried over a later one. */
static void mark_untried(const struct stored *stored, char *marks, uint32_t n)
{
    for (uint32_t i = 0; stored->is_open && i < n; i++)
        if (marks[i] == MARK_NONE)
            marks[i] = (char)MARK_SENT;
}

static int copy_record(struct spool *spool, const struct segment *segment,
                       const struct stored *stored, struct move *move)
{
    struct record record;
    int error = read_record(spool, segment, stored, &record);
    char *bytes = spool->committer.scratch.data;
    uint64_t marks;

    if (error)
        return error;
    marks = record_marks_offset(&record);
    mark_untried(stored, bytes + marks, record.n_recipients);
    struct iovec pieces[] = {
        {NULL,                        0                          },
        {bytes + RECORD_HEADER_BYTES, marks - RECORD_HEADER_BYTES},
        {bytes + marks,               0                          },
    };
    error = segments_append(&spool->segments, &record, pieces, 3);
    move->place = record.place;
    move->n_recipients = record.n_recipients;
    return error;
}

static struct stored *take_first(struct segment *segment)
{
    struct stored *stored = segment->first;

    while (stored && stored->place == PLACE_NONE) { /* finished: the list's reference goes */
        segment->first = stored->next_in_segment;
        segment->n_dead -= segment->n_dead > 0;
        stored_unref(stored);
        stored = segment->first;
    }
    if (stored)
        segment->first = stored->next_in_segment;
    return stored;
}

static void put_back(struct segment *segment, struct stored *stored)
{
    stored->next_in_segment = segment->first;
    segment->first = stored;
}

void compaction_collect(struct spool *spool, struct group *group)
{
    struct segment *segment = find_emptiest(spool);
    uint64_t n_bytes = 0;

    while (segment && group->n_moves < MOVES_PER_GROUP && n_bytes < BYTES_PER_GROUP) {
        struct stored *stored = take_first(segment);
        struct move move = {.stored = stored, .segment = segment->id};
        int error;

        if (!stored)
            return;
        error = copy_record(spool, segment, stored, &move);
        if (error) {
            put_back(segment, stored);
            segment->has_damage = error != -ENOSPC; /* left as it is until a restart */
            if (error == -EBADMSG)
                spool_report_damaged(stored, "compaction");
            return;
        }
        group->moves[group->n_moves++] = move;
        n_bytes += segments_bytes_of(stored);
    }
}

void compaction_put_back(struct spool *spool, struct group *group)
{
    for (uint32_t i = 0; i < group->n_moves; i++)
        put_back(segments_find(&spool->segments, group->moves[i].segment), group->moves[i].stored);
    group->n_moves = 0;
}
