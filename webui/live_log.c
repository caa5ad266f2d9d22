/* Lines of the log and logins, to the streams that want them. */
#include <stdlib.h>
#include <string.h>

#include "relay/base/clock.h"
#include "webui/live_private.h"
#include "webui/log_json.h"

enum { LINES_MOST = 500 };

static bool contains_ignoring_case(const char *whole, struct slice part)
{
    for (; part.len && *whole; whole++)
        if (slice_starts_with_ignoring_case(slice_of(whole), part))
            return true;
    return part.len == 0;
}

static bool wants_line(const struct live_stream *stream, json_t *line)
{
    const struct log_query *query = &stream->logs;
    enum event_level level = LEVEL_INFO;

    if (!(stream->topics & 1U << LIVE_LOGS) ||
        !log_level_named(json_string_value(json_object_get(line, "level")), &level))
        return false;
    return level >= query->level &&
           (query->event.len == 0 ||
            slice_equal(query->event,
                        slice_of(json_string_value(json_object_get(line, "event"))))) &&
           contains_ignoring_case(json_string_value(json_object_get(line, "line")), query->text);
}

static bool is_login_of(const struct live_stream *stream, json_t *line)
{
    const char *event = json_string_value(json_object_get(line, "event"));
    const char *user = json_string_value(json_object_get(json_object_get(line, "fields"), "user"));

    if (!(stream->topics & 1U << LIVE_AUTH))
        return false;
    /* Before a login nobody knows whose session it is: whoever sets up a program sees these all. */
    if (strcmp(event, "tls_failed") == 0)
        return stream->user.len == 0;
    return (strcmp(event, "login") == 0 || strcmp(event, "login_failed") == 0) && user &&
           (stream->user.len == 0 || slice_equal(stream->user, slice_of(user)));
}

/* Lines are not kept: GET /logs has them. */
static void tell_line(struct live *live, json_t *line)
{
    CLEANUP(free) char *logs = live_event_text(live->next_number, LIVE_LOGS, line);
    CLEANUP(free) char *auth = live_event_text(live->next_number, LIVE_AUTH, line);

    live->next_number++;
    LIST_FOR_EACH(link, &live->streams)
    {
        struct live_stream *stream = CONTAINER_OF(link, struct live_stream, link);

        if (logs && wants_line(stream, line))
            live_append(stream, logs);
        if (auth && is_login_of(stream, line))
            live_append(stream, auth);
    }
}

static void on_lines(struct events_question *question)
{
    struct live *live = CONTAINER_OF(question, struct live, question);
    struct reader reader = {.rest = buffer_slice(&question->lines)};
    json_t *lines = json_array();

    live->is_asking = false;
    live->webui->n_waiting--;
    live->last_line = question->newest;
    while (reader.rest.len && !reader.failed)
        json_array_append_new(lines, log_line_json(&reader));
    buffer_fini(&question->lines);
    for (size_t i = json_array_size(lines); i > 0; i--) /* the oldest first */
        tell_line(live, json_array_get(lines, i - 1));
    json_decref(lines);
}

void live_ask_lines(struct live *live)
{
    live->logs_ms = clock_monotonic_ms();
    live->question = (struct events_question){
        .answer_to = live->webui->mailbox,
        .done = on_lines,
        .query = {.after = live->last_line, .limit = live->last_line ? LINES_MOST : 1},
    };
    live->is_asking = events_ask(live->webui->parts.events, &live->question);
    live->webui->n_waiting += live->is_asking;
}
