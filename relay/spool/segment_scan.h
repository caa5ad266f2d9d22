/* Walks through the records of a segment without the database's help, past damage too.
 * Thread: the caller's. */
#pragma once

#include "relay/spool/segment.h"

struct segment_scan {
    const struct segment *segment;
    const struct io *io;
    uint32_t generation; /* records of earlier uses are passed over */
    uint64_t offset;
    char *window; /* a stretch of the file */
    uint64_t window_offset, window_length;
    uint64_t n_skipped; /* bytes that belonged to no record */
};

MUST_USE int segment_scan_init(struct segment_scan *scan, const struct segment *segment,
                               const struct io *io);
void segment_scan_fini(struct segment_scan *scan);

enum { SCAN_END = 0, SCAN_RECORD = 1 };

/* The next record's header; SCAN_RECORD, SCAN_END, or -errno. */
MUST_USE int segment_scan_next(struct segment_scan *scan, struct record *out);
