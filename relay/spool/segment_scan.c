#include "relay/spool/segment_scan.h"

#include <endian.h>
#include <errno.h>

enum { WINDOW_BYTES = 1 << 18 };

/* The header's bytes at offset, or NULL behind the end. */
static int look_at(struct segment_scan *scan, uint64_t offset, const uint8_t **out)
{
    uint64_t in_window = offset - scan->window_offset;

    if (offset + RECORD_HEADER_BYTES > scan->segment->size)
        return SCAN_END;
    if (offset < scan->window_offset || in_window + RECORD_HEADER_BYTES > scan->window_length) {
        uint64_t rest = scan->segment->size - offset;
        size_t length = rest < WINDOW_BYTES ? rest : WINDOW_BYTES;
        int error = io_read_all(scan->io, scan->segment->read_fd, scan->window, length, offset);

        if (error < 0)
            return error;
        scan->window_offset = offset;
        scan->window_length = length;
        in_window = 0;
    }
    *out = (const uint8_t *)scan->window + in_window;
    return SCAN_RECORD;
}

static bool has_magic(const uint8_t *bytes)
{
    uint32_t magic;

    memcpy(&magic, bytes, sizeof(magic));
    return magic == htole32(RECORD_MAGIC);
}

/* A header that does not name the very place it was found at is an earlier use's, or part of a
 * message that somebody made to look like one. */
static bool is_record_at(const struct segment_scan *scan, const uint8_t *bytes, struct record *out)
{
    return has_magic(bytes) && record_decode(out, bytes) == 0 &&
           out->place == place_pack(scan->segment->id, scan->offset) &&
           record_bytes(out) <= scan->segment->size - scan->offset;
}

static int find_any(struct segment_scan *scan, struct record *out)
{
    for (;;) {
        const uint8_t *bytes = NULL;
        int result = look_at(scan, scan->offset, &bytes);

        if (result != SCAN_RECORD)
            return result;
        if (is_record_at(scan, bytes, out))
            return SCAN_RECORD;
        scan->offset += RECORD_ALIGNMENT;
        scan->n_skipped += RECORD_ALIGNMENT;
    }
}

/* The segment's own header is damaged: the latest use is the one that counts. */
static int find_generation(struct segment_scan *scan)
{
    struct record record;
    int result;

    while ((result = find_any(scan, &record)) == SCAN_RECORD) {
        if (record.generation > scan->generation)
            scan->generation = record.generation;
        scan->offset += RECORD_ALIGNMENT;
    }
    scan->offset = SEGMENT_HEADER_BYTES;
    scan->n_skipped = 0;
    return result;
}

int segment_scan_init(struct segment_scan *scan, const struct segment *segment, const struct io *io)
{
    *scan = (struct segment_scan){.segment = segment,
                                  .io = io,
                                  .generation = segment->generation,
                                  .offset = SEGMENT_HEADER_BYTES};
    scan->window = malloc(WINDOW_BYTES);
    if (!scan->window)
        return FAULT(-ENOMEM);
    return scan->generation ? 0 : find_generation(scan);
}

void segment_scan_fini(struct segment_scan *scan)
{
    free(scan->window);
}

int segment_scan_next(struct segment_scan *scan, struct record *out)
{
    int result;

    while ((result = find_any(scan, out)) == SCAN_RECORD) {
        if (out->generation == scan->generation) {
            scan->offset += record_bytes(out);
            return SCAN_RECORD;
        }
        scan->offset += RECORD_ALIGNMENT;
    }
    return result;
}
