#include "relay/events/events.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#include "relay/base/list.h"
#include "relay/base/log.h"
#include "relay/base/mailbox.h"
#include "relay/base/thread.h"

enum {
    MAILBOX_EVENTS = 65536,
    SINK_BUFFER_BYTES = 64 * 1024,
    REST_MS = 5,
    MOST_TEXT = 2048, /* of one field: what strangers send is in them */
};

struct events {
    struct mailbox *mailbox;
    pthread_t thread;
    _Atomic uint64_t n_lost[N_EVENTS];  /* events that found no room */
    _Atomic uint64_t n_lost_recipients; /* in those of EVENT_QUEUED */
    _Atomic bool has_lost;
    _Atomic int64_t depth; /* -1: nobody said */
    struct task stop;
    bool is_stopping;        /* the thread's, as all that follows */
    struct buffer pending;   /* lines of one batch: one write for all */
    struct history *history; /* NULL: none */
    struct log_ring ring;
};

static _Thread_local struct events *mine; /* set on the event thread: whom a parcel belongs to */

static size_t kept_bytes(const struct event_field *field)
{
    return field->text.len < MOST_TEXT ? field->text.len : MOST_TEXT;
}

static size_t text_bytes(const struct event *event)
{
    size_t bytes = 0;

    for (unsigned i = 0; i < event->n_fields; i++)
        bytes += kept_bytes(&event->fields[i]);
    return bytes;
}

static struct parcel *pack(const struct event *event, void (*run)(struct task *))
{
    size_t fields_bytes = event->n_fields * sizeof(event->fields[0]);
    size_t bytes = sizeof(struct parcel) + fields_bytes + text_bytes(event);
    struct parcel *parcel = malloc(bytes);
    char *text;

    if (!parcel)
        return NULL;
    parcel->task.run = run;
    parcel->bytes = (uint32_t)bytes;
    parcel->event = *event;
    parcel->event.fields = parcel->fields;
    text = (char *)parcel->fields + fields_bytes;
    for (unsigned i = 0; i < event->n_fields; i++) {
        struct event_field *field = &parcel->fields[i];

        *field = event->fields[i];
        if (!field->text.data)
            continue;
        field->text.len = kept_bytes(field);
        if (field->text.len)
            memcpy(text, field->text.data, field->text.len);
        field->text.data = text;
        text += field->text.len;
    }
    return parcel;
}

static void append_line(struct events *events, const struct event *event)
{
    if (event_level_of(event->kind) < log_level())
        return; /* it came for history */
    log_append(&events->pending, event);
    if (events->pending.len >= SINK_BUFFER_BYTES)
        log_flush(&events->pending);
}

static void write_parcel(struct task *task)
{
    struct parcel *parcel = CONTAINER_OF(task, struct parcel, task);

    append_line(mine, &parcel->event);
    if (mine->history)
        history_note(mine->history, &parcel->event);
    log_ring_add(&mine->ring, parcel);
}

static uint64_t recipients_in(const struct event *event)
{
    for (unsigned i = 0; i < event->n_fields; i++)
        if (strcmp(event->fields[i].name, "nrcpt") == 0)
            return (uint64_t)event->fields[i].number;
    return 1;
}

static void note_lost(struct events *events, const struct event *event)
{
    /* Before its number: who takes that has the recipients, too. */
    if (event->kind == EVENT_QUEUED)
        atomic_fetch_add(&events->n_lost_recipients, recipients_in(event));
    atomic_fetch_add(&events->n_lost[event->kind], 1);
    atomic_store(&events->has_lost, true);
}

/* The emitter's thread. */
static void take(void *owner, const struct event *event)
{
    struct events *events = owner;
    struct parcel *parcel = pack(event, write_parcel);

    if (parcel && mailbox_post(events->mailbox, &parcel->task))
        return;
    free(parcel);
    note_lost(events, event);
}

/* How many of all kinds; history counts them by kind. */
static uint64_t take_lost(struct events *events)
{
    uint64_t sum = 0;

    for (unsigned kind = 0; kind < N_EVENTS; kind++) {
        uint64_t n = atomic_exchange(&events->n_lost[kind], 0), n_recipients = n;

        if (n && kind == EVENT_QUEUED)
            n_recipients = atomic_exchange(&events->n_lost_recipients, 0);
        if (n && events->history)
            history_note_lost(events->history, (enum event_kind)kind, (int64_t)n,
                              (int64_t)n_recipients);
        sum += n;
    }
    return sum;
}

static void tell_gap(struct events *events)
{
    uint64_t n_lost = atomic_exchange(&events->has_lost, false) ? take_lost(events) : 0;
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

/* How long to wait for more. */
static int turn_history(struct events *events)
{
    int64_t depth = atomic_exchange(&events->depth, -1);

    if (!events->history)
        return -1;
    if (depth >= 0)
        history_note_depth(events->history, depth);
    return history_turn(events->history);
}

static void *run(void *argument)
{
    struct events *events = argument;

    int wait_ms = 0;

    mine = events;
    while (!events->is_stopping) {
        mailbox_wait(events->mailbox, wait_ms);
        mailbox_run(events->mailbox);
        tell_gap(events);
        log_flush(&events->pending);
        wait_ms = turn_history(events);
        if (!events->is_stopping)
            rest();
    }
    mailbox_run(events->mailbox); /* what history had to say at the last */
    log_flush(&events->pending);
    return NULL;
}

static void release(struct events *events)
{
    mailbox_free(events->mailbox);
    history_free(events->history);
    log_ring_fini(&events->ring);
    buffer_fini(&events->pending);
    free(events);
}

int events_start(struct events **out, const struct history_settings *history)
{
    struct events *events = calloc(1, sizeof(*events));
    int error;

    if (!events)
        return FAULT(-ENOMEM);
    events->stop.run = run_stop;
    atomic_init(&events->depth, -1);
    error = mailbox_new(&events->mailbox, MAILBOX_EVENTS);
    if (error == 0)
        error = log_ring_init(&events->ring);
    if (error == 0 && history->dir)
        error = history_new(&events->history, history);
    if (error < 0) {
        release(events);
        return error;
    }
    if (history->dir)
        event_want(history_events, N_HISTORY_KINDS);
    event_set_sink(take, events); /* before the thread, which may have to say something itself */
    error = thread_start(&events->thread, "events", run, events);
    if (error < 0) {
        event_set_sink(NULL, NULL);
        release(events);
        return error;
    }
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
    release(events);
    return NULL;
}

void events_note_depth(struct events *events, int64_t n_queued)
{
    atomic_store(&events->depth, n_queued);
}

/* ---- the last lines ---- */

static void run_answered(struct task *task)
{
    struct events_question *question = CONTAINER_OF(task, struct events_question, task);

    question->done(question);
}

static void run_question(struct task *task)
{
    struct events_question *question = CONTAINER_OF(task, struct events_question, task);

    question->lines = BUFFER_INIT;
    question->newest = mine->ring.next_number - 1;
    question->next = log_ring_find(&mine->ring, &question->query, &question->lines);
    task->run = run_answered;
    mailbox_answer(question->answer_to, task);
}

bool events_ask(struct events *events, struct events_question *question)
{
    question->task.run = run_question;
    return mailbox_post(events->mailbox, &question->task);
}
