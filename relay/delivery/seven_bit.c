#include "relay/delivery/seven_bit.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "policy/policy.h"
#include "policy/worker_pool.h"
#include "relay/base/crc32c.h"
#include "relay/message/mime.h"
#include "relay/net/memory_file.h"

enum { BY_WORKER_BYTES = 200000 };

struct seven_bit {
    struct job job;
    struct letter *letter;
    struct delivery_shard *shard;
    void (*done)(void *owner, int result);
    void *owner;
    struct buffer original, text;
    int fd, result;
    uint64_t length;
    uint32_t crc;
    struct later later;
    bool is_away;  /* a worker or a fetch has it */
    bool is_freed; /* meanwhile nobody wants it any more */
};

static void destroy(struct seven_bit *converted)
{
    later_cancel(&converted->later);
    letter_unref(converted->letter);
    buffer_fini(&converted->original);
    buffer_fini(&converted->text);
    if (converted->fd >= 0)
        close(converted->fd);
    free(converted);
}

/* Came back from where it was away; false: it is gone. */
static bool is_back(struct seven_bit *converted)
{
    converted->is_away = false;
    if (converted->is_freed)
        destroy(converted);
    else
        return true;
    return false;
}

static int append(void *owner, struct slice bytes)
{
    struct buffer *out = owner;

    buffer_append(out, bytes);
    return buffer_error(out);
}

/* On the worker, or here when it is short. */
static void convert(struct seven_bit *converted)
{
    struct mime_sink sink = {append, &converted->text};
    struct slice text = buffer_slice(&converted->original);
    struct mime_result facts;

    assert(converted->letter);
    converted->result = -EBADMSG;
    if (crc32c(0, text) != converted->letter->view.crc)
        return;
    converted->result = mime_to_seven_bit(text, &sink, &facts);
    if (converted->result != 0)
        return;
    text = buffer_slice(&converted->text);
    converted->length = text.len;
    converted->crc = crc32c(0, text);
    converted->result = memory_file_new(&converted->fd, "seven-bit", text);
}

static void tell(struct later *later)
{
    struct seven_bit *converted = CONTAINER_OF(later, struct seven_bit, later);

    buffer_fini(&converted->original);
    buffer_fini(&converted->text);
    if (converted->result == -EBADMSG)
        spool_report_damaged(converted->letter->stored, "delivery");
    converted->done(converted->owner, converted->result);
}

static void work(struct job *job)
{
    convert(CONTAINER_OF(job, struct seven_bit, job));
}

static void on_worked(struct job *job)
{
    struct seven_bit *converted = CONTAINER_OF(job, struct seven_bit, job);

    if (job->was_cancelled)
        converted->result = -EIO;
    if (is_back(converted))
        tell(&converted->later);
}

static void run_job(struct seven_bit *converted)
{
    struct policy *policy = converted->shard->delivery->policy;

    converted->job = (struct job){
        .answer_to = loop_mailbox(converted->shard->loop), .work = work, .done = on_worked};
    if (policy && converted->original.len > BY_WORKER_BYTES &&
        worker_pool_submit(policy_workers(policy), &converted->job)) {
        converted->is_away = true;
        return;
    }
    convert(converted);
    later_set(&converted->later);
}

static void on_fetched(void *owner, int error);

static void read_original(struct seven_bit *converted, bool may_fetch)
{
    const struct spool_view *view = &converted->letter->view;
    int64_t n_read = buffer_reserve(&converted->original, view->length);

    if (n_read == 0)
        n_read = spool_read(view, 0, converted->original.data, view->length);
    if (n_read == -EAGAIN && may_fetch) {
        converted->is_away = true;
        letter_fetch(converted->letter, on_fetched, converted);
        return;
    }
    if (n_read != (int64_t)view->length) {
        converted->result = n_read < 0 ? (int)n_read : -EIO;
        later_set(&converted->later);
        return;
    }
    converted->original.len = view->length;
    run_job(converted);
}

static void on_fetched(void *owner, int error)
{
    struct seven_bit *converted = owner;

    if (!is_back(converted))
        return;
    if (error == 0) {
        read_original(converted, false);
        return;
    }
    converted->result = error;
    later_set(&converted->later);
}

struct seven_bit *seven_bit_start(struct letter *letter, void (*done)(void *owner, int result),
                                  void *owner)
{
    struct seven_bit *converted = calloc(1, sizeof(*converted));

    if (!converted)
        return NULL;
    converted->letter = letter_ref(letter);
    converted->shard = letter->shard;
    converted->done = done;
    converted->owner = owner;
    converted->fd = -1;
    later_init(&converted->later, letter->shard->loop, tell);
    read_original(converted, true);
    return converted;
}

void seven_bit_free(struct seven_bit *converted)
{
    if (!converted)
        return;
    if (converted->is_away)
        converted->is_freed = true;
    else
        destroy(converted);
}

int seven_bit_fd(const struct seven_bit *converted)
{
    return converted->fd;
}

uint64_t seven_bit_length(const struct seven_bit *converted)
{
    return converted->length;
}

uint32_t seven_bit_crc(const struct seven_bit *converted)
{
    return converted->crc;
}
