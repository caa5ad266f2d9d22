/* A message as it is stored, for whoever may read mail: while any of it waits. */
#include <errno.h>
#include <string.h>

#include "relay/base/list.h"
#include "relay/spool/queue_id.h"
#include "webui/queue_desk.h"
#include "webui/routes.h"
#include "webui/turns.h"

enum { AT_ONCE = 2 /* until the client has them: each stays in memory so long */ };

struct raw {
    struct queue_job job;
    struct exchange *exchange;
    uint64_t id;
    struct buffer bytes;
    int result;
};

/* On the queue's reader thread. */
static void read_bytes(struct queue_job *job, struct spool_reader *reader)
{
    struct raw *raw = CONTAINER_OF(job, struct raw, job);
    uint32_t header_bytes;

    raw->result = spool_reader_bytes(reader, raw->id, UINT64_MAX, &raw->bytes, &header_bytes);
}

static void on_read(struct queue_job *job)
{
    struct raw *raw = CONTAINER_OF(job, struct raw, job);

    if (raw->result == 0)
        exchange_answer_buffer(raw->exchange, "message/rfc822", &raw->bytes);
    else if (raw->result == -ENOENT)
        exchange_problem(raw->exchange, 404, "not_found",
                         "No such message waits; of finished mail the text is not kept.");
    else
        exchange_problem(raw->exchange, 500, "message_unreadable", strerror(-raw->result));
    buffer_fini(&raw->bytes);
}

void api_message_raw(struct exchange *exchange)
{
    struct raw *raw = exchange_memory(exchange, sizeof(*raw));

    if (!raw)
        return;
    raw->exchange = exchange;
    if (!queue_id_parse(exchange->argument, &raw->id)) {
        exchange_problem(exchange, 404, "not_found", "This is no queue id.");
        return;
    }
    if (!turn_of_all(exchange, &exchange->webui->messages, AT_ONCE))
        return;
    raw->job.answer_to = exchange->webui->mailbox;
    raw->job.work = read_bytes;
    raw->job.done = on_read;
    if (!queue_desk_ask(exchange->webui->queue_desk, &raw->job))
        exchange_busy(exchange);
}
