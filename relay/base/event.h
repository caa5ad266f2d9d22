/* One fact that somebody may want to know: its kind, when, and named fields.  The log is the first
 * sink; history, counters, the panel and webhooks are others.  The emitter's thread runs the sink,
 * which must not block: relay/events installs one that copies the event to its own thread; until
 * then (and in the parent and the signer) the event becomes a line on stderr at once.
 * Thread: event_emit() any; event_set_sink() before other threads start. */
#pragma once

#include "relay/base/event_list.h"
#include "relay/base/slice.h"

enum { EVENT_MAX_FIELDS = 20 };

enum event_field_type { FIELD_TYPE_TEXT, FIELD_TYPE_NUMBER, FIELD_TYPE_SECONDS };

struct event_field {
    const char *name; /* a literal */
    enum event_field_type type;
    bool is_quiet;     /* not for the log's line: for history, which knows it by its name */
    struct slice text; /* raw bytes; the sink escapes */
    int64_t number;    /* FIELD_TYPE_SECONDS: milliseconds, shown as 1.8 */
};

struct event {
    enum event_kind kind;
    int64_t utc_ms;
    unsigned n_fields;
    const struct event_field *fields; /* the emitter's; good during the call */
};

static inline struct event_field field_slice(const char *name, struct slice text)
{
    return (struct event_field){.name = name, .type = FIELD_TYPE_TEXT, .text = text};
}

static inline struct event_field field_text(const char *name, const char *text)
{
    return field_slice(name, slice_of(text));
}

static inline struct event_field field_number(const char *name, int64_t number)
{
    return (struct event_field){.name = name, .type = FIELD_TYPE_NUMBER, .number = number};
}

/* A span given in milliseconds, shown in seconds. */
static inline struct event_field field_seconds(const char *name, int64_t span_ms)
{
    return (struct event_field){.name = name, .type = FIELD_TYPE_SECONDS, .number = span_ms};
}

static inline struct event_field field_quiet(struct event_field field)
{
    field.is_quiet = true;
    return field;
}

/* EVENT(EVENT_QUEUED, field_text("msg", id), field_number("size", bytes)); a field whose text is
 * NULL is left out.  Secrets never go into a field. */
#define EVENT(kind, ...)                                                                           \
    do {                                                                                           \
        const struct event_field fields_[] = {__VA_ARGS__};                                        \
        event_emit((kind), fields_, sizeof(fields_) / sizeof(fields_[0]));                         \
    } while (0)

void event_emit(enum event_kind kind, const struct event_field *fields, size_t n_fields);

typedef void event_sink(void *owner, const struct event *event);
void event_set_sink(event_sink *run, void *owner); /* NULL: back to stderr */

/* The sink gets events of these kinds whatever the log's level is; before other threads start. */
void event_want(const enum event_kind *kinds, size_t n);

const char *event_name(enum event_kind kind);
enum event_level event_level_of(enum event_kind kind);
