#include "relay/spool/doubts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "relay/base/crc32c.h"
#include "relay/base/log.h"
#include "relay/spool/marks.h"

static const char boot_fact[] = "boot";

struct settled_row {
    uint64_t id;
    struct recipient_row row; /* its texts follow or are not needed */
};

static void note(struct doubts *doubts, uint64_t id, const struct recipient_row *row)
{
    struct settled_row settled = {.id = id, .row = *row};

    buffer_append(&doubts->settled, slice_from(&settled, sizeof(settled)));
    buffer_append(&doubts->settled, row->reply);
    doubts->n_settled++;
}

static void settle(const struct spool *spool, const struct stored *stored,
                   struct recipient_row *row)
{
    const struct spool_callbacks *callbacks = &spool->settings.callbacks;

    if (row->tried_utc_ms == 0)
        row->tried_utc_ms = stored->arrived_utc_ms; /* marked at its arrival, for that attempt */
    if (callbacks->settle_doubt)
        callbacks->settle_doubt(callbacks->owner, stored, row);
    row->flags = (row->flags | RECIPIENT_DOUBTFUL) & ~(uint32_t)RECIPIENT_OPEN;
}

/* ---- which run of the kernel: with it goes the page cache ---- */

/* 36 octets of hexadecimal; 0 where it cannot be read. */
static int64_t read_boot(void)
{
    CLEANUP(close_fd) int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    char text[64];
    ssize_t n_read = fd < 0 ? -1 : read(fd, text, sizeof(text));
    size_t half = n_read > 0 ? (size_t)n_read / 2 : 0;

    if (half == 0)
        return 0;
    return (int64_t)crc32c(0, slice_from(text, half)) << 31 |
           crc32c(0, slice_from(text + half, (size_t)n_read - half));
}

void doubts_begin(struct doubts *doubts, struct spool *spool)
{
    int64_t then = 0;

    doubts->boot = spool->settings.boot ? spool->settings.boot : read_boot();
    if (store_recall(&spool->store, boot_fact, &then) == 0)
        doubts->is_same_boot = doubts->boot && then == doubts->boot;
}

int doubts_distrust(struct store *store)
{
    return store_remember(store, boot_fact, 0);
}

/* ---- the rows ---- */

/* Of one message, read when its first open row asks. */
struct marks_of {
    struct doubts *doubts;
    const struct spool *spool;
    const struct stored *stored;
    bool is_read;
};

static enum recipient_mark mark_of(struct marks_of *message, uint32_t n)
{
    struct buffer *marks = &message->doubts->marks;

    if (!message->is_read && marks_read(message->spool, message->stored, marks))
        buffer_clear(marks);
    message->is_read = true;
    if (n == 0 || n > marks->len)
        return MARK_SENT; /* nobody knows */
    return (enum recipient_mark)(uint8_t)marks->data[n - 1];
}

void doubts_settle(struct doubts *doubts, const struct spool *spool, const struct stored *stored,
                   struct row_list list)
{
    struct marks_of message = {.doubts = doubts, .spool = spool, .stored = stored};

    for (uint32_t i = 0; i < list.n_rows; i++) {
        struct recipient_row *row = &list.rows[i];
        enum recipient_mark mark;

        if (!(row->flags & RECIPIENT_OPEN))
            continue;
        mark = mark_of(&message, row->n);
        if (mark == MARK_DELIVERED) {
            row->flags |= RECIPIENT_DELIVERED; /* the row stays as it is until that is committed */
            continue;
        }
        /* Marked at its arrival, never tried: whoever tries it says so first (MARK_SENT). */
        if (mark == MARK_NONE && doubts->is_same_boot && row->tried_utc_ms == 0)
            row->flags &= ~(uint32_t)RECIPIENT_OPEN;
        else
            settle(spool, stored, row);
        note(doubts, stored->id, row);
    }
}

static int store_all(const struct doubts *doubts, struct store *store)
{
    const char *at = doubts->settled.data;
    int error = buffer_error(&doubts->settled);

    if (!error)
        error = store_begin(store);
    for (uint32_t i = 0; !error && i < doubts->n_settled; i++) {
        struct settled_row settled;

        memcpy(&settled, at, sizeof(settled));
        at += sizeof(settled);
        settled.row.reply.data = at;
        at += settled.row.reply.len;
        error = store_settle(store, settled.id, &settled.row);
    }
    if (!error && doubts->boot && !doubts->is_same_boot)
        error = store_remember(store, boot_fact, doubts->boot);
    if (!error)
        error = store_commit(store);
    if (error)
        store_rollback(store);
    return error;
}

void doubts_store(struct doubts *doubts, struct store *store)
{
    bool is_news = doubts->n_settled || (doubts->boot && !doubts->is_same_boot);

    if (is_news && store_all(doubts, store))
        log_debug("spool", "doubts could not be stored; the next start finds them again");
    doubts_fini(doubts);
}

void doubts_fini(struct doubts *doubts)
{
    buffer_fini(&doubts->settled);
    buffer_fini(&doubts->marks);
}
