#include "relay/cli/sink_trace.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <time.h>

struct sink_trace {
    FILE *file;
};

int sink_trace_open(struct sink_trace **out, const char *path)
{
    struct sink_trace *trace = malloc(sizeof(*trace));

    if (!trace)
        return FAULT(-ENOMEM);
    trace->file = fopen(path, "ae");
    if (!trace->file) {
        free(trace);
        return FAULT(-errno);
    }
    setvbuf(trace->file, NULL, _IOLBF, 0); /* whoever reads along, and a kill, find whole lines */
    *out = trace;
    return 0;
}

struct sink_trace *sink_trace_close(struct sink_trace *trace)
{
    if (trace)
        fclose(trace->file);
    free(trace);
    return NULL;
}

/* A text that is no UTF-8 is not what windows are counted by. */
static json_t *text_of(const char *text)
{
    json_t *value = json_string(text);

    return value ? value : json_string("?");
}

void sink_trace_note(struct sink_trace *trace, const char *name, uint64_t connection,
                     const struct sink_event *event, int code)
{
    struct timespec now;
    json_t *line;

    if (!trace)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    line =
        json_pack("{ss sI ss ss si si so so si}", "event", name, "connection",
                  (json_int_t)connection, "peer", event->peer, "listener", event->listener, "open",
                  (int)event->n_open, "code", code, "sender", text_of(event->sender), "recipient",
                  text_of(event->recipient), "recipients", (int)event->n_recipients);
    if (!line)
        return;
    fprintf(trace->file, "{\"t\":%lld.%06ld,", (long long)now.tv_sec, now.tv_nsec / 1000);
    json_dumpf(line, trace->file, JSON_COMPACT | JSON_EMBED);
    fputs("}\n", trace->file);
    json_decref(line);
}
