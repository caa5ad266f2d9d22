/* The bytes of a group: one record per message, a file of its own for a long one. */
#include <errno.h>
#include <stdlib.h>

#include "relay/base/crc32c.h"
#include "relay/spool/parts.h"

/* Reports with a whole message in them can be long too; a segment shall hold many. */
static bool is_too_long_for_a_record(const struct spool *spool, uint64_t bytes)
{
    return bytes > spool->segments.segment_bytes / 4;
}

static uint64_t sum_of(const struct slice *pieces, uint32_t n_pieces)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n_pieces; i++)
        sum += pieces[i].len;
    return sum;
}

static int spill(struct spool *spool, struct spool_append *append)
{
    int error = large_open(&append->large, spool->io, spool->large_dir_fd, append->envelope->id);

    if (error)
        return error;
    spool->committer.has_new_names = true;
    return large_write(append->large, spool->io, append->pieces, append->n_pieces);
}

static int encode_envelope(struct spool *spool, const struct envelope *envelope)
{
    struct buffer *scratch = &spool->committer.scratch;

    if (envelope->n_recipients == 0 || envelope->n_recipients > ENVELOPE_MAX_RECIPIENTS)
        return FAULT(-EINVAL);
    buffer_clear(scratch);
    envelope_encode(scratch, envelope);
    if (scratch->len > ENVELOPE_MAX_BYTES)
        return FAULT(-EFBIG);
    return buffer_error(scratch);
}

static int write_record(struct spool *spool, const struct spool_append *append,
                        struct record *record)
{
    uint32_t n_inline = append->large ? 0 : append->n_pieces;
    CLEANUP(free) struct iovec *vector = calloc(n_inline + 3, sizeof(*vector));

    if (!vector)
        return FAULT(-ENOMEM);
    vector[1] = (struct iovec){spool->committer.scratch.data, spool->committer.scratch.len};
    for (uint32_t i = 0; i < n_inline; i++) {
        record->crc = crc32c(record->crc, append->pieces[i]);
        vector[i + 2] = (struct iovec){(void *)append->pieces[i].data, append->pieces[i].len};
    }
    return segments_append(&spool->segments, record, vector, (int)n_inline + 3);
}

static bool opens_at_once(const struct spool *spool, const struct envelope *envelope)
{
    const struct spool_callbacks *callbacks = &spool->settings.callbacks;

    return !envelope->hold && callbacks->opens_at_once &&
           callbacks->opens_at_once(callbacks->owner, envelope);
}

static struct stored *new_stored(const struct record *record, const struct envelope *envelope)
{
    struct stored *stored = calloc(1, sizeof(*stored));
    int64_t life_ms = envelope->expires_utc_ms - envelope->arrived_utc_ms;

    if (!stored)
        return NULL;
    atomic_init(&stored->place, record->place);
    atomic_init(&stored->n_references, 1);
    stored->id = record->id;
    stored->arrived_utc_ms = envelope->arrived_utc_ms;
    stored->life_s = life_ms > 0 ? (uint32_t)(life_ms / 1000) : 0;
    stored->n_open = envelope->n_recipients;
    stored->envelope_bytes = record->envelope_bytes;
    stored->header_bytes = record->header_bytes;
    stored->body_bytes = record->body_bytes;
    stored->crc = record->crc;
    stored->user_id = envelope->user_id;
    stored->sender_hash = stored_hash(envelope->sender);
    stored->flags = (uint16_t)envelope->flags;
    stored->class = (uint8_t)envelope->class;
    stored->is_single = envelope->n_recipients == 1;
    stored->is_large = record->flags & RECORD_LARGE;
    return stored;
}

static int write_message(struct spool *spool, struct spool_append *append)
{
    uint64_t bytes =
        append->large ? append->large->bytes : sum_of(append->pieces, append->n_pieces);
    struct record record = {.id = append->envelope->id};
    int error;

    if (bytes > UINT32_MAX || append->header_bytes > bytes)
        return FAULT(-EFBIG);
    error = encode_envelope(spool, append->envelope);
    if (!error && !append->large && is_too_long_for_a_record(spool, bytes))
        error = spill(spool, append);
    if (!error && append->large)
        error = append->large->error;
    if (error)
        return error;
    record.envelope_bytes = (uint32_t)spool->committer.scratch.len;
    record.envelope_crc = crc32c(0, buffer_slice(&spool->committer.scratch));
    record.header_bytes = append->header_bytes;
    record.body_bytes = (uint32_t)bytes - append->header_bytes;
    record.n_recipients = append->envelope->n_recipients;
    if (append->large) {
        record.flags = RECORD_LARGE;
        record.crc = append->large->crc;
    }
    error = write_record(spool, append, &record);
    if (error)
        return error;
    append->state.stored = new_stored(&record, append->envelope);
    if (!append->state.stored)
        return FAULT(-ENOMEM);
    append->state.stored->is_open = opens_at_once(spool, append->envelope);
    return 0;
}

void writing_append(struct spool *spool, struct spool_append *append)
{
    append->state.stored = NULL;
    append->result = write_message(spool, append);
    if (append->result) {
        if (append->result == -ENOSPC)
            space_note_full(&spool->space);
        writing_drop(spool, append);
    }
}

void writing_drop(struct spool *spool, struct spool_append *append)
{
    if (append->large)
        large_abandon(TAKE(append->large), spool->io, spool->large_dir_fd);
    if (append->state.stored) /* whoever foresaw it may want to read it yet: its bytes may go */
        atomic_store(&append->state.stored->place, PLACE_NONE);
    stored_unref(TAKE(append->state.stored));
}

/* ---- syncing ---- */

static void fail(struct spool *spool, struct spool_append *append, int error)
{
    append->result = error;
    writing_drop(spool, append);
}

static void sync_large(struct spool *spool, struct spool_append *append)
{
    int error;

    if (append->result || !append->large)
        return;
    error = large_sync(append->large, spool->io);
    atomic_fetch_add(&spool->n_syncs, 1);
    if (error)
        fail(spool, append, error);
}

static void check_place(struct spool *spool, struct spool_append *append, int folder_error)
{
    if (append->result)
        return;
    if (folder_error || !segments_is_sound(&spool->segments, append->state.stored->place))
        fail(spool, append, -EIO);
}

typedef void append_visitor(struct spool *spool, struct spool_append *append, int error);

/* All messages of the group, reports among them. */
static void visit(struct spool *spool, struct group *group, append_visitor *visitor, int error)
{
    for (struct spool_append *append = group->appends; append; append = append->state.next)
        visitor(spool, append, error);
    for (struct spool_update *update = group->updates; update; update = update->state.next) {
        for (uint32_t i = 0; i < update->n_reports; i++)
            visitor(spool, &update->reports[i], error);
    }
}

static void sync_one_large(struct spool *spool, struct spool_append *append, int error)
{
    (void)error;
    sync_large(spool, append);
}

void writing_sync(struct spool *spool, struct group *group)
{
    int folder_error = 0;

    visit(spool, group, sync_one_large, 0);
    if (spool->committer.has_new_names) {
        folder_error = spool->io->sync(spool->large_dir_fd);
        spool->committer.has_new_names = folder_error != 0;
    }
    /* A segment that failed is abandoned in there; a folder that failed fails the whole group,
     * since a name that may not be on disk may belong to any of its files. */
    if (segments_sync(&spool->segments, &folder_error))
        atomic_fetch_add(&spool->n_syncs, 1);
    visit(spool, group, check_place, folder_error);
}
