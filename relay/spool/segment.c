#include "relay/spool/segment.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "relay/base/crc32c.h"

enum {
    SEGMENT_MAGIC = 0x47455354,
    SEGMENT_VERSION = 1,
    ZEROS_BYTES = 1 << 20,
    STEP_BYTES = 4 << 20,
};

/* The first bytes of the file; read and written by memcpy only. */
struct layout {
    uint32_t magic, header_crc;
    uint32_t version, id, generation;
    uint32_t reserved[11];
};

_Static_assert(sizeof(struct layout) == SEGMENT_HEADER_BYTES, "the header's layout has gaps");

/* What a record ends with, and what a new file is filled with. */
static const char zeros[ZEROS_BYTES];

_Static_assert(ENVELOPE_MAX_RECIPIENTS + RECORD_ALIGNMENT <= ZEROS_BYTES, "marks fit into zeros");

void segment_name(uint32_t id, char out[SEGMENT_NAME_SIZE])
{
    snprintf(out, SEGMENT_NAME_SIZE, "%08x.seg", id);
}

static uint32_t header_crc(const struct layout *layout)
{
    const size_t start = offsetof(struct layout, version);

    return crc32c(0, slice_from((const char *)layout + start, sizeof(*layout) - start));
}

static int write_header(struct segment *segment, const struct io *io)
{
    struct layout layout = {
        .magic = htole32(SEGMENT_MAGIC),
        .version = htole32(SEGMENT_VERSION),
        .id = htole32(segment->id),
        .generation = htole32(segment->generation),
    };
    struct iovec piece = {&layout, sizeof(layout)};

    layout.header_crc = htole32(header_crc(&layout));
    return io_write_all(io, segment->fd, &piece, 1, 0);
}

static void read_header(struct segment *segment, const struct io *io)
{
    struct layout layout;

    if (io_read_all(io, segment->fd, &layout, sizeof(layout), 0) == 0 &&
        le32toh(layout.magic) == SEGMENT_MAGIC && layout.header_crc == htole32(header_crc(&layout)))
        segment->generation = le32toh(layout.generation);
}

/* Written back in steps, so that the sync at the end, and a group that commits meanwhile, do not
 * wait for the whole of it; a step is no sync, of which a group's would have to wait for each. */
static int fill_with_zeros(struct segment *segment, const struct io *io)
{
    uint64_t n_behind = 0; /* bytes that wait for their step */

    for (uint64_t offset = 0, n; offset < segment->size; offset += n) {
        uint64_t rest = segment->size - offset;
        struct iovec piece = {(void *)zeros, rest < ZEROS_BYTES ? rest : ZEROS_BYTES};
        int error;

        n = piece.iov_len;
        error = io_write_all(io, segment->fd, &piece, 1, offset);
        n_behind += n;
        if (!error && n_behind >= STEP_BYTES) {
            error = io->write_back(segment->fd, offset + n - n_behind, n_behind);
            n_behind = 0;
        }
        if (error)
            return FAULT(error);
    }
    return 0;
}

static int open_files(struct segment *segment, const struct io *io, int dir_fd, int flags)
{
    char name[SEGMENT_NAME_SIZE];
    CLEANUP(close_fd) int fd = -1;

    segment_name(segment->id, name);
    fd = io->open(dir_fd, name, O_RDWR | flags, 0600);
    if (fd < 0)
        return FAULT(fd);
    segment->read_fd = io->open(dir_fd, name, O_RDONLY, 0);
    if (segment->read_fd < 0)
        return FAULT(segment->read_fd);
    segment->fd = take_fd(&fd);
    return 0;
}

static struct segment *new_segment(uint32_t id, uint64_t size)
{
    struct segment *segment = calloc(1, sizeof(*segment));

    if (segment) {
        segment->id = id;
        segment->size = size;
        segment->tail = SEGMENT_HEADER_BYTES;
        segment->fd = segment->read_fd = -1;
        segment->use = SEGMENT_FREE;
    }
    return segment;
}

int segment_create(struct segment **out, const struct io *io, int dir_fd, uint32_t id,
                   uint64_t size, bool is_zeroed)
{
    struct segment *segment = new_segment(id, size);
    int error;

    if (!segment)
        return FAULT(-ENOMEM);
    error = open_files(segment, io, dir_fd, O_CREAT | O_TRUNC);
    if (!error)
        error = io->allocate(segment->fd, size);
    if (!error && is_zeroed)
        error = fill_with_zeros(segment, io);
    if (!error)
        error = write_header(segment, io);
    if (!error)
        error = io->sync(segment->fd);
    if (error) {
        char name[SEGMENT_NAME_SIZE];

        segment_name(id, name);
        (void)io->remove(dir_fd, name); /* a leftover is taken over at the next start */
        segment_free(segment);
        return FAULT(error);
    }
    *out = segment;
    return 0;
}

int segment_open(struct segment **out, const struct io *io, int dir_fd, uint32_t id)
{
    struct segment *segment = new_segment(id, 0);
    struct stat status;
    int error;

    if (!segment)
        return FAULT(-ENOMEM);
    error = open_files(segment, io, dir_fd, 0);
    if (!error && fstat(segment->fd, &status) < 0)
        error = -errno;
    if (error) {
        segment_free(segment);
        return FAULT(error);
    }
    segment->size = (uint64_t)status.st_size;
    read_header(segment, io);
    *out = segment;
    return 0;
}

void segment_close(struct segment *segment)
{
    close_fd_cleanup(&segment->fd);
    close_fd_cleanup(&segment->read_fd);
    segment->fd = segment->read_fd = -1;
}

struct segment *segment_free(struct segment *segment)
{
    if (segment) {
        segment_close(segment);
        free(segment);
    }
    return NULL;
}

int segment_start(struct segment *segment, const struct io *io)
{
    uint32_t now_s = (uint32_t)time(NULL);

    /* Never one that was used: also when the old header could not be read. */
    segment->generation = now_s > segment->generation ? now_s : segment->generation + 1;
    segment->tail = SEGMENT_HEADER_BYTES;
    segment->is_dirty = true;
    return write_header(segment, io);
}

int segment_append(struct segment *segment, const struct io *io, struct record *record,
                   struct iovec *pieces, int n_pieces)
{
    uint64_t whole = record_bytes(record), marks = record_marks_offset(record);
    uint8_t header[RECORD_HEADER_BYTES];
    int error;

    if (whole > segment->size - segment->tail)
        return SEGMENT_FULL;
    record->place = place_pack(segment->id, segment->tail);
    record->generation = segment->generation;
    record_encode(record, header);
    pieces[0] = (struct iovec){header, sizeof(header)};
    if (!pieces[n_pieces - 1].iov_base)
        pieces[n_pieces - 1].iov_base = (void *)zeros;
    pieces[n_pieces - 1].iov_len = whole - marks;
    segment->is_dirty = true;
    error = io_write_all(io, segment->fd, pieces, n_pieces, segment->tail);
    if (error)
        return error;
    segment->tail += whole;
    return 0;
}

int segment_sync(struct segment *segment, const struct io *io)
{
    int error = io->data_sync(segment->fd);

    if (error)
        return FAULT(error);
    segment->is_dirty = false;
    return 0;
}
