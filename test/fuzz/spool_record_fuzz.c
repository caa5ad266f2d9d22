/* Bytes of a damaged disk.  An envelope that decodes encodes to the same bytes; a scan of any
 * segment ends, and every record it finds lies inside.  The first byte chooses; for a scan, headers
 * get the checksum and place they claim to have, else no damage would come past them. */
#include "test/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

#include "relay/base/crc32c.h"
#include "relay/spool/envelope.h"
#include "relay/spool/segment_scan.h"

static const uint8_t *disk;
static size_t disk_size;

static int64_t read_disk(int fd, void *out, size_t length, uint64_t offset)
{
    (void)fd;
    if (offset >= disk_size)
        return 0;
    if (length > disk_size - offset)
        length = disk_size - offset;
    memcpy(out, disk + offset, length);
    return (int64_t)length;
}

static void try_envelope(struct slice bytes)
{
    struct arena arena;
    struct envelope envelope;
    struct buffer again = BUFFER_INIT;

    arena_init(&arena, 1 << 22);
    if (envelope_decode(&envelope, bytes, &arena) == 0) {
        envelope_encode(&again, &envelope);
        PROMISE(slice_equal(buffer_slice(&again), bytes));
    }
    arena_reset(&arena);
    buffer_fini(&again);
}

/* Makes every header that has the magic pass its own checks. */
static void mend_headers(uint8_t *bytes, size_t size)
{
    for (size_t offset = SEGMENT_HEADER_BYTES; offset + RECORD_HEADER_BYTES <= size;
         offset += RECORD_ALIGNMENT) {
        const uint32_t magic = RECORD_MAGIC;
        uint64_t place = place_pack(1, offset);
        uint32_t crc;

        if (memcmp(bytes + offset, &magic, sizeof(magic)) != 0)
            continue;
        memcpy(bytes + offset + 16, &place, sizeof(place));
        crc = crc32c(0, slice_from(bytes + offset + 8, RECORD_HEADER_BYTES - 8));
        memcpy(bytes + offset + 4, &crc, sizeof(crc));
    }
}

static void scan(const struct segment *segment)
{
    static const struct io io = {.read = read_disk};
    struct segment_scan scan;
    struct record record;
    uint64_t end = SEGMENT_HEADER_BYTES;
    int result = segment_scan_init(&scan, segment, &io);

    PROMISE(result == 0);
    while ((result = segment_scan_next(&scan, &record)) == SCAN_RECORD) {
        PROMISE(place_segment(record.place) == 1);
        PROMISE(place_offset(record.place) >= end);
        end = place_offset(record.place) + record_bytes(&record);
        PROMISE(end <= segment->size);
    }
    PROMISE(result == SCAN_END);
    segment_scan_fini(&scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct segment segment = {.id = 1, .fd = -1, .read_fd = -1};
    uint8_t *bytes;

    if (size == 0)
        return 0;
    if (data[0] & 1) {
        try_envelope(slice_from(data + 1, size - 1));
        return 0;
    }
    bytes = malloc(size);
    PROMISE(bytes);
    memcpy(bytes, data + 1, size - 1);
    disk = bytes;
    disk_size = segment.size = size - 1;
    segment.generation = data[0] >> 1;
    mend_headers(bytes, size - 1);
    scan(&segment);
    free(bytes);
    return 0;
}
