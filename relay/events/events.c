#include "relay/events/events.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#include "relay/base/list.h"
#include "relay/base/log.h"
#include "relay/base/mailbox.h"
#include "relay/base/thread.h"

enum { MAILBOX_EVENTS = 65536, SINK_BUFFER_BYTES = 64 * 1024, REST_MS = 5 };

struct events {
    struct mailbox *mailbox;
    pthread_t thread;
    _Atomic uint64_t n_lost;
    struct task stop;
    bool is_stopping;      /* the thread's */
    struct buffer pending; /* lines of one batch: one write for all */
};

/* An event on its way: the fields and their texts lie behind it, in the same allocation. */
struct parcel {
    struct task task;
    struct event event;
    struct event_field fields[];
};

static _Thread_local struct events *mine; /* set on the event thread: whom a parcel belongs to */

static size_t text_bytes(const struct event *event)
{
    size_t bytes = 0;

    for (unsigned i = 0; i < event->n_fields; i++)
        bytes += event->fields[i].text.len;
    return bytes;
}

static struct parcel *pack(const struct event *event, void (*run)(struct task *))
{
    size_t fields_bytes = event->n_fields * sizeof(event->fields[0]);
    struct parcel *parcel = malloc(sizeof(*parcel) + fields_bytes + text_bytes(event));
    char *text;

    if (!parcel)
        return NULL;
    parcel->task.run = run;
    parcel->event = *event;
    parcel->event.fields = parcel->fields;
    text = (char *)parcel->fields + fields_bytes;
    for (unsigned i = 0; i < event->n_fields; i++) {
        struct event_field *field = &parcel->fields[i];

        *field = event->fields[i];
        if (!field->text.data)
            continue;
        if (field->text.len)
            memcpy(text, field->text.data, field->text.len);
        field->text.data = text;
        text += field->text.len;
    }
    return parcel;
}

static void append_line(struct events *events, const struct event *event)
{
    log_append(&events->pending, event);
    if (events->pending.len >= SINK_BUFFER_BYTES)
        log_flush(&events->pending);
}

static void write_parcel(struct task *task)
{
    struct parcel *parcel = CONTAINER_OF(task, struct parcel, task);

    append_line(mine, &parcel->event);
    free(parcel);
}

/* The emitter's thread. */
static void take(void *owner, const struct event *event)
{
    struct events *events = owner;
    struct parcel *parcel = pack(event, write_parcel);

    if (parcel && mailbox_post(events->mailbox, &parcel->task))
        return;
    free(parcel);
    atomic_fetch_add(&events->n_lost, 1);
}

static void tell_gap(struct events *events)
{
    uint64_t n_lost = atomic_exchange(&events->n_lost, 0);
    const struct event_field fields[] = {field_number("n", (int64_t)n_lost)};

    if (n_lost) {
        struct event event = {EVENT_HISTORY_GAP, 0, 1, fields};

        log_stamp(&event);
        append_line(events, &event);
    }
}

static void run_stop(struct task *task)
{
    CONTAINER_OF(task, struct events, stop)->is_stopping = true;
}

/* Under load each message would wake this thread three times, which costs more than its lines;
 * nobody reads a log that fast. */
static void rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = REST_MS * 1000000L}, NULL);
}

static void *run(void *argument)
{
    struct events *events = argument;

    mine = events;
    while (!events->is_stopping) {
        mailbox_wait(events->mailbox, -1);
        mailbox_run(events->mailbox);
        tell_gap(events);
        log_flush(&events->pending);
        if (!events->is_stopping)
            rest();
    }
    return NULL;
}

int events_start(struct events **out)
{
    struct events *events = calloc(1, sizeof(*events));
    int error;

    if (!events)
        return FAULT(-ENOMEM);
    events->stop.run = run_stop;
    error = mailbox_new(&events->mailbox, MAILBOX_EVENTS);
    if (error == 0)
        error = thread_start(&events->thread, "events", run, events);
    if (error < 0) {
        mailbox_free(events->mailbox);
        free(events);
        return error;
    }
    event_set_sink(take, events);
    *out = events;
    return 0;
}

struct events *events_stop(struct events *events)
{
    if (!events)
        return NULL;
    mailbox_answer(events->mailbox, &events->stop);
    pthread_join(events->thread, NULL);
    event_set_sink(NULL, NULL);
    mailbox_free(events->mailbox);
    buffer_fini(&events->pending);
    free(events);
    return NULL;
}
