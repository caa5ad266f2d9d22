#include "relay/base/event.h"

#include <assert.h>

#include "relay/base/clock.h"
#include "relay/base/log.h"

static const struct {
    const char *name;
    enum event_level level;
} events[] = {
#define EVENT_ROW(kind, name, level) [kind] = {name, LEVEL_##level},
    EVENT_LIST(EVENT_ROW)
#undef EVENT_ROW
};

static struct {
    event_sink *run;
    void *owner;
    bool wants[N_EVENTS];
} sink;

void event_set_sink(event_sink *run, void *owner)
{
    sink.run = run;
    sink.owner = owner;
}

void event_want(const enum event_kind *kinds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sink.wants[kinds[i]] = true;
}

const char *event_name(enum event_kind kind)
{
    return events[kind].name;
}

enum event_level event_level_of(enum event_kind kind)
{
    return events[kind].level;
}

void event_emit(enum event_kind kind, const struct event_field *fields, size_t n_fields)
{
    struct event event = {kind, 0, (unsigned)n_fields, fields};

    assert(n_fields <= EVENT_MAX_FIELDS);
    if (events[kind].level < log_level() && !(sink.run && sink.wants[kind]))
        return;
    event.utc_ms = clock_utc_ms();
    if (sink.run)
        sink.run(sink.owner, &event);
    else
        log_write(&event);
}
