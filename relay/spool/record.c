#include "relay/spool/record.h"

#include <endian.h>
#include <errno.h>

#include "relay/base/crc32c.h"

/* As on disk; read and written by memcpy only. */
struct layout {
    uint32_t magic, header_crc; /* the CRC is over what follows it */
    uint64_t id, place;
    uint32_t generation, flags;
    uint32_t envelope_bytes, envelope_crc;
    uint32_t header_bytes, body_bytes;
    uint32_t crc, n_recipients;
    uint64_t reserved;
};

_Static_assert(sizeof(struct layout) == RECORD_HEADER_BYTES, "the header's layout has gaps");

static uint32_t crc_of(const uint8_t bytes[RECORD_HEADER_BYTES])
{
    const size_t start = offsetof(struct layout, id);

    return crc32c(0, slice_from(bytes + start, RECORD_HEADER_BYTES - start));
}

void record_encode(const struct record *record, uint8_t out[RECORD_HEADER_BYTES])
{
    struct layout layout = {
        .magic = htole32(RECORD_MAGIC),
        .id = htole64(record->id),
        .place = htole64(record->place),
        .generation = htole32(record->generation),
        .flags = htole32(record->flags),
        .envelope_bytes = htole32(record->envelope_bytes),
        .envelope_crc = htole32(record->envelope_crc),
        .header_bytes = htole32(record->header_bytes),
        .body_bytes = htole32(record->body_bytes),
        .crc = htole32(record->crc),
        .n_recipients = htole32(record->n_recipients),
    };

    memcpy(out, &layout, sizeof(layout));
    layout.header_crc = htole32(crc_of(out));
    memcpy(out, &layout, sizeof(layout));
}

int record_decode(struct record *out, const uint8_t bytes[RECORD_HEADER_BYTES])
{
    struct layout layout;

    memcpy(&layout, bytes, sizeof(layout));
    if (le32toh(layout.magic) != RECORD_MAGIC || le32toh(layout.header_crc) != crc_of(bytes))
        return -EBADMSG; /* not a FAULT: a scan asks this at every step */
    *out = (struct record){
        .id = le64toh(layout.id),
        .place = le64toh(layout.place),
        .generation = le32toh(layout.generation),
        .flags = le32toh(layout.flags),
        .envelope_bytes = le32toh(layout.envelope_bytes),
        .envelope_crc = le32toh(layout.envelope_crc),
        .header_bytes = le32toh(layout.header_bytes),
        .body_bytes = le32toh(layout.body_bytes),
        .crc = le32toh(layout.crc),
        .n_recipients = le32toh(layout.n_recipients),
    };
    return 0;
}
