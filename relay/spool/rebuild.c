/* A new database from the segments: every record carries its envelope, and marks for the
 * recipients that were finished.  A message may be found twice, where compaction left a copy; the
 * marks of both count. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "relay/base/clock.h"
#include "relay/base/crc32c.h"
#include "relay/base/event.h"
#include "relay/spool/marks.h"
#include "relay/spool/parts.h"
#include "relay/spool/segment_scan.h"

struct found {
    struct record record;
    uint64_t order; /* as met: sorting keeps it among equals */
};

struct rebuild {
    struct store *store;
    const struct segments *segments;
    int large_dir_fd;
    struct found *found;
    size_t n_found, capacity;
    struct buffer bytes; /* envelope and content of one record */
    struct buffer marks; /* of one message, copies merged */
    struct arena arena;
    struct rebuild_result result;
};

/* ---- finding ---- */

static int note_found(struct rebuild *rebuild, const struct record *record)
{
    if (rebuild->n_found == rebuild->capacity) {
        size_t capacity = rebuild->capacity ? rebuild->capacity * 2 : 1024;
        struct found *grown = realloc(rebuild->found, capacity * sizeof(*grown));

        if (!grown)
            return FAULT(-ENOMEM);
        rebuild->found = grown;
        rebuild->capacity = capacity;
    }
    rebuild->found[rebuild->n_found] = (struct found){*record, rebuild->n_found};
    rebuild->n_found++;
    return 0;
}

static int find_in_segment(struct rebuild *rebuild, const struct segment *segment)
{
    struct segment_scan scan;
    struct record record;
    int result = segment_scan_init(&scan, segment, rebuild->segments->io);

    if (result == 0)
        result = segment_scan_next(&scan, &record);
    while (result == SCAN_RECORD) {
        result = note_found(rebuild, &record);
        if (result == 0)
            result = segment_scan_next(&scan, &record);
    }
    segment_scan_fini(&scan);
    /* What cannot be read is lost; the rest is not. */
    return result == -ENOMEM ? result : 0;
}

static int find_all(struct rebuild *rebuild)
{
    int error = 0;

    for (uint32_t id = 1; !error && id < rebuild->segments->next_id; id++) {
        const struct segment *segment = segments_find(rebuild->segments, id);

        if (segment)
            error = find_in_segment(rebuild, segment);
    }
    return error;
}

static int by_id(const void *a, const void *b)
{
    const struct found *left = a, *right = b;

    if (left->record.id != right->record.id)
        return left->record.id < right->record.id ? -1 : 1;
    return left->order < right->order ? -1 : left->order > right->order;
}

/* ---- checking ---- */

static int fd_of(const struct rebuild *rebuild, const struct record *record)
{
    return segments_find(rebuild->segments, place_segment(record->place))->read_fd;
}

static int check_large(struct rebuild *rebuild, const struct record *record)
{
    enum { CHUNK_BYTES = 1 << 16 };
    char chunk[CHUNK_BYTES], name[QUEUE_ID_SIZE];
    uint64_t length = (uint64_t)record->header_bytes + record->body_bytes;
    CLEANUP(close_fd) int fd = -1;
    uint32_t crc = 0;

    queue_id_format(record->id, name);
    fd = openat(rebuild->large_dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -EBADMSG;
    for (uint64_t offset = 0; offset < length; offset += CHUNK_BYTES) {
        size_t n = length - offset < CHUNK_BYTES ? length - offset : CHUNK_BYTES;
        int error = io_read_all(rebuild->segments->io, fd, chunk, n, offset);

        if (error)
            return error;
        crc = crc32c(crc, slice_from(chunk, n));
    }
    return crc == record->crc ? 0 : -EBADMSG;
}

/* Reads the record and decodes its envelope; -EBADMSG when anything in it disagrees. */
static int load(struct rebuild *rebuild, const struct record *record, struct envelope *envelope)
{
    uint64_t length = record_marks_offset(record) - RECORD_HEADER_BYTES;
    struct slice encoded, content;
    int error;

    buffer_clear(&rebuild->bytes);
    error = buffer_reserve(&rebuild->bytes, length + 1);
    if (!error)
        error = io_read_all(rebuild->segments->io, fd_of(rebuild, record), rebuild->bytes.data,
                            length, place_offset(record->place) + RECORD_HEADER_BYTES);
    if (error)
        return error;
    encoded = slice_from(rebuild->bytes.data, record->envelope_bytes);
    content = slice_from(rebuild->bytes.data + encoded.len, record_inline_bytes(record));
    if (crc32c(0, encoded) != record->envelope_crc)
        return -EBADMSG;
    arena_reset(&rebuild->arena);
    error = envelope_decode(envelope, encoded, &rebuild->arena);
    if (error)
        return error;
    if (envelope->id != record->id || envelope->n_recipients != record->n_recipients)
        return -EBADMSG;
    if (record->flags & RECORD_LARGE)
        return check_large(rebuild, record);
    return crc32c(0, content) == record->crc ? 0 : -EBADMSG;
}

/* ---- restoring ---- */

static int merge_marks(struct rebuild *rebuild, const struct found *copies, size_t n_copies)
{
    uint32_t n_recipients = copies[0].record.n_recipients;
    CLEANUP(free) char *marks = malloc(n_recipients + 1);
    int error = 0;

    if (!marks)
        return FAULT(-ENOMEM);
    buffer_clear(&rebuild->marks);
    for (uint32_t i = 0; i < n_recipients; i++)
        buffer_append_byte(&rebuild->marks, 0);
    error = buffer_error(&rebuild->marks);
    for (size_t i = 0; !error && i < n_copies; i++) {
        const struct record *record = &copies[i].record;

        if (record->n_recipients != n_recipients)
            continue;
        error = io_read_all(rebuild->segments->io, fd_of(rebuild, record), marks, n_recipients,
                            place_offset(record->place) + record_marks_offset(record));
        for (uint32_t n = 0; !error && n < n_recipients; n++) {
            if ((uint8_t)marks[n] >= MARK_DELIVERED)
                rebuild->marks.data[n] = 1;
        }
    }
    return error;
}

static struct stored stored_of(const struct record *record, const struct envelope *envelope)
{
    int64_t life_ms = envelope->expires_utc_ms - envelope->arrived_utc_ms;

    return (struct stored){
        .place = record->place,
        .id = record->id,
        .arrived_utc_ms = envelope->arrived_utc_ms,
        .life_s = life_ms > 0 ? (uint32_t)(life_ms / 1000) : 0,
        .envelope_bytes = record->envelope_bytes,
        .header_bytes = record->header_bytes,
        .body_bytes = record->body_bytes,
        .crc = record->crc,
        .user_id = envelope->user_id,
        .flags = (uint16_t)envelope->flags,
        .class = (uint8_t)envelope->class,
        .is_large = record->flags & RECORD_LARGE,
    };
}

static int add_rows(struct rebuild *rebuild, const struct record *record,
                    const struct envelope *envelope)
{
    struct stored stored = stored_of(record, envelope);
    int error = store_add_message(rebuild->store, &stored, envelope);

    for (uint32_t i = 0; !error && i < envelope->n_recipients; i++) {
        const struct recipient_row row = {.n = i + 1,
                                          .address = envelope->recipients[i].address,
                                          .next_utc_ms = envelope->arrived_utc_ms};

        if (rebuild->marks.data[i])
            continue;
        error = store_add_recipient(rebuild->store, record->id, &row);
        rebuild->result.n_recipients++;
    }
    rebuild->result.n_messages++;
    return error;
}

static void report_damage(struct rebuild *rebuild, uint64_t id)
{
    char text[QUEUE_ID_SIZE];

    queue_id_format(id, text);
    EVENT(EVENT_RECORD_DAMAGED, field_text("msg", text), field_text("found_by", "rebuild"));
    rebuild->result.n_damaged++;
}

static bool is_all_finished(const struct rebuild *rebuild)
{
    return rebuild->marks.len == 0 || memchr(rebuild->marks.data, 0, rebuild->marks.len) == NULL;
}

/* One message, of which n_copies were found. */
static int restore(struct rebuild *rebuild, const struct found *copies, size_t n_copies)
{
    struct envelope envelope;
    int error = merge_marks(rebuild, copies, n_copies);

    if (error == -ENOMEM)
        return error;
    if (!error && is_all_finished(rebuild))
        return 0;
    for (size_t i = 0; !error && i < n_copies; i++) {
        error = load(rebuild, &copies[i].record, &envelope);
        if (error == -ENOMEM)
            return error;
        if (!error)
            return add_rows(rebuild, &copies[i].record, &envelope);
        error = i + 1 < n_copies ? 0 : error;
    }
    report_damage(rebuild, copies[0].record.id);
    return 0;
}

static int restore_all(struct rebuild *rebuild)
{
    int error = db_begin(rebuild->store->db);

    for (size_t i = 0, end; !error && i < rebuild->n_found; i = end) {
        for (end = i + 1; end < rebuild->n_found; end++) {
            if (rebuild->found[end].record.id != rebuild->found[i].record.id)
                break;
        }
        error = restore(rebuild, &rebuild->found[i], end - i);
    }
    if (!error)
        error = store_set_complete(rebuild->store);
    if (!error)
        return db_commit(rebuild->store->db);
    db_rollback(rebuild->store->db);
    return error;
}

int rebuild_into(struct store *store, const struct segments *segments, int large_dir_fd,
                 struct rebuild_result *out)
{
    struct rebuild rebuild = {.store = store, .segments = segments, .large_dir_fd = large_dir_fd};
    int error = find_all(&rebuild);

    if (!error && rebuild.n_found)
        qsort(rebuild.found, rebuild.n_found, sizeof(*rebuild.found), by_id);
    if (!error)
        error = restore_all(&rebuild);
    if (!error)
        *out = rebuild.result;
    free(rebuild.found);
    buffer_fini(&rebuild.bytes);
    buffer_fini(&rebuild.marks);
    arena_reset(&rebuild.arena);
    return error;
}
