#include "relay/intake/collector.h"

#include <errno.h>

#include "relay/base/clock.h"
#include "relay/base/list.h"
#include "relay/intake/trace_header.h"
#include "relay/message/line_scan.h"

enum {
    ACCOUNT_STEP_BYTES = 16 * 1024,
    ADDED_HEADER_BYTES = 4096,
    WRITE_BYTES = 64 * 1024, /* to the file of a long message at once */
};

void collector_begin(struct collector *collector, const struct collector_owner *owner,
                     struct spool *spool, struct mailbox *mailbox, struct message_memory *memory)
{
    *collector =
        (struct collector){.owner = owner, .spool = spool, .mailbox = mailbox, .memory = memory};
    collector->id = queue_id_new();
    queue_id_format(collector->id, collector->id_text);
    collector->is_open = true;
    arena_init(&collector->arena, COLLECTOR_FACTS_BYTES);
    buffer_init(&collector->header, HEADER_MAX_BLOCK);
}

static void fail(struct collector *collector, enum collector_problem problem)
{
    if (collector->problem == COLLECTOR_FINE)
        collector->problem = problem;
}

static enum collector_problem problem_of(int error)
{
    return error == -ENOSPC   ? COLLECTOR_NO_SPACE
           : error == -ENOMEM ? COLLECTOR_NO_MEMORY
                              : COLLECTOR_DISK_FAILED;
}

/* Accounts for bytes held; in steps, so that the shared counter is rarely touched. */
static bool take_memory(struct collector *collector, uint64_t wanted, enum memory_use use)
{
    uint64_t step = (wanted + ACCOUNT_STEP_BYTES - 1) / ACCOUNT_STEP_BYTES * ACCOUNT_STEP_BYTES;

    if (wanted <= collector->memory_taken)
        return true;
    if (!message_memory_take(collector->memory, step - collector->memory_taken, use))
        return false;
    collector->memory_taken = step;
    return true;
}

static void give_memory(struct collector *collector)
{
    message_memory_give(collector->memory, collector->memory_taken);
    collector->memory_taken = 0;
}

static void release(struct collector *collector)
{
    give_memory(collector);
    buffer_fini(&collector->header);
    buffer_fini(&collector->message);
    arena_reset(&collector->arena);
    collector->is_open = false;
}

/* ---- the file of a long message ---- */

static void ask_large(struct collector *collector, enum spool_large_kind kind);

static void run_large_done(struct spool_large_request *request)
{
    struct collector *collector = CONTAINER_OF(request, struct collector, request);

    collector->is_writing = false;
    if (request->result < 0) {
        fail(collector, problem_of(request->result));
    } else if (request->kind == LARGE_OPEN) {
        collector->large = request->large;
        ask_large(collector, LARGE_WRITE);
        if (collector->is_writing)
            return;
    }
    /* What is in the file needs no memory: the next chunks are written as they come. */
    buffer_fini(&collector->message);
    give_memory(collector);
    if (request->kind == LARGE_ABANDON) {
        collector->large = NULL;
        release(collector);
    }
    collector->owner->on_written(collector->owner->owner);
}

static void ask_large(struct collector *collector, enum spool_large_kind kind)
{
    collector->piece = buffer_slice(&collector->message);
    collector->request = (struct spool_large_request){
        .answer_to = collector->mailbox,
        .done = run_large_done,
        .kind = kind,
        .id = collector->id,
        .large = collector->large,
        .pieces = &collector->piece,
        .n_pieces = 1,
    };
    collector->is_writing = spool_large_ask(collector->spool, &collector->request);
    if (!collector->is_writing)
        fail(collector, COLLECTOR_DISK_FAILED);
}

/* False while the bytes at hand are being written. */
static bool write_out(struct collector *collector)
{
    ask_large(collector, collector->large ? LARGE_WRITE : LARGE_OPEN);
    return !collector->is_writing;
}

/* ---- header, then body ---- */

static void lay_down_header(struct collector *collector)
{
    CLEANUP(buffer) struct buffer trace = BUFFER_INIT;
    CLEANUP(buffer) struct buffer message_id = BUFFER_INIT;
    char date[CLOCK_DATE_SIZE];
    struct header_additions additions;
    struct slice block = buffer_slice(&collector->header);
    int error = header_read_facts(block, &collector->arena, &collector->facts);

    collector->owner->add_trace(collector->owner->owner, &trace);
    if (!collector->facts.has_message_id)
        trace_message_id_print(slice_of(collector->id_text), slice_of(collector->owner->hostname),
                               &message_id);
    clock_format_date(clock_utc_ms(), date);
    additions =
        (struct header_additions){buffer_slice(&trace), slice_of(date), buffer_slice(&message_id)};
    if (error == 0)
        error = header_tidy(block, &collector->facts, &additions, &collector->message);
    if (error < 0)
        fail(collector, COLLECTOR_NO_MEMORY);
    collector->has_header = true;
    collector->header_bytes = (uint32_t)collector->message.len;
    buffer_fini(&collector->header);
}

/* Moves what belongs to the header block out of chunk; the empty line may be split over chunks. */
static void add_to_header(struct collector *collector, struct slice *chunk)
{
    struct buffer *header = &collector->header;
    size_t seen = header->len;
    size_t from = seen > 3 ? seen - 3 : 0;
    struct slice tail;
    ptrdiff_t end;
    size_t length;

    if (!take_memory(collector, header->len + chunk->len + ADDED_HEADER_BYTES, MEMORY_FOR_HEADER)) {
        fail(collector, COLLECTOR_NO_MEMORY);
        return;
    }
    /* One chunk is at most what a stream holds, so room for one more never lets it grow unbound. */
    header->limit = HEADER_MAX_BLOCK + chunk->len;
    buffer_append(header, *chunk);
    if (buffer_error(header) < 0) {
        fail(collector, COLLECTOR_NO_MEMORY);
        return;
    }
    tail = slice_skip(buffer_slice(header), from);
    end = slice_search(tail, SLICE_LITERAL("\r\n\r\n"));
    length = end < 0 ? 0 : from + (size_t)end + 4;
    if (slice_starts_with(buffer_slice(header), SLICE_LITERAL("\r\n")))
        length = 2; /* a message that begins with its empty line */
    if (length > HEADER_MAX_BLOCK || (length == 0 && header->len > HEADER_MAX_BLOCK)) {
        fail(collector, COLLECTOR_HEADER_TOO_LONG);
        return;
    }
    *chunk = length ? slice_skip(*chunk, length - seen) : slice_skip(*chunk, chunk->len);
    if (length) {
        header->len = length;
        lay_down_header(collector);
    }
}

static bool add_to_body(struct collector *collector, struct slice chunk)
{
    struct buffer *message = &collector->message;
    size_t wanted = message->len + chunk.len;
    size_t most = collector->large ? WRITE_BYTES : COLLECTOR_MEMORY_BYTES;
    bool must_spill =
        wanted > most || !take_memory(collector, wanted + ADDED_HEADER_BYTES, MEMORY_FOR_BODY);

    collector->has_eight_bit_body = collector->has_eight_bit_body || has_eight_bit(chunk);
    buffer_append(message, chunk);
    if (buffer_error(message) < 0) {
        fail(collector, COLLECTOR_NO_MEMORY);
        return true;
    }
    return must_spill ? write_out(collector) : true;
}

bool collector_add(struct collector *collector, struct slice chunk)
{
    if (collector->problem == COLLECTOR_FINE && !collector->has_header)
        add_to_header(collector, &chunk);
    if (collector->problem != COLLECTOR_FINE || chunk.len == 0)
        return true;
    return add_to_body(collector, chunk);
}

bool collector_close(struct collector *collector)
{
    if (collector->problem != COLLECTOR_FINE)
        return true;
    if (!collector->has_header) {
        /* A message of header fields alone (RFC 5322 3.5): the empty line is ours to add. */
        buffer_append_text(&collector->header, "\r\n");
        lay_down_header(collector);
    }
    return collector->large && collector->message.len ? write_out(collector) : true;
}

void collector_hand_over(struct collector *collector, struct spool_append *append)
{
    collector->piece = buffer_slice(&collector->message);
    append->header_bytes = collector->header_bytes;
    append->large = TAKE(collector->large);
    append->pieces = &collector->piece;
    append->n_pieces = append->large ? 0 : 1;
}

bool collector_drop(struct collector *collector)
{
    if (!collector->is_open)
        return true;
    if (collector->is_writing)
        return false;
    if (collector->large) {
        ask_large(collector, LARGE_ABANDON);
        if (collector->is_writing)
            return false;
        collector->large = NULL; /* the spool clears away at its next start what nobody finished */
    }
    release(collector);
    return true;
}
