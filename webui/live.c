#include "webui/live_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/base/clock.h"
#include "webui/guard.h"
#include "webui/log_json.h"
#include "webui/overview_json.h"
#include "webui/server.h"

enum { BEAT_MS = 15000, LOGS_MS = 500, DESTINATIONS_MS = 5000 };

static const char *const topic_names[N_LIVE_TOPICS] = {
    [LIVE_OVERVIEW] = "overview", [LIVE_QUEUE] = "queue", [LIVE_DESTINATIONS] = "destinations",
    [LIVE_LOGS] = "logs",         [LIVE_JOBS] = "jobs",   [LIVE_AUTH] = "auth",
    [LIVE_PATHS] = "jobs",
};

void live_init(struct live *live, struct webui *webui)
{
    *live = (struct live){.webui = webui, .next_number = (uint64_t)clock_utc_ms() * 1000};
    list_init(&live->streams);
}

void live_fini(struct live *live)
{
    for (unsigned i = 0; i < LIVE_RING; i++)
        free(live->ring[i].text);
}

/* ---- streams ---- */

bool live_is_watched(const struct live *live, enum live_topic topic)
{
    LIST_FOR_EACH(link, &live->streams)
    {
        if (CONTAINER_OF(link, struct live_stream, link)->topics & 1U << topic)
            return true;
    }
    return false;
}

static void wake(struct live_stream *stream)
{
    if (!stream->is_asleep)
        return;
    stream->is_asleep = false;
    server_wake_stream(stream);
}

void live_append(struct live_stream *stream, const char *text)
{
    if (stream->is_ending)
        return;
    buffer_append_text(&stream->pending, text);
    stream->is_ending |= stream->pending.failed;
    wake(stream);
}

long live_stream_read(struct live_stream *stream, char *out, size_t size)
{
    size_t n = stream->pending.len < size ? stream->pending.len : size;

    if (n) {
        memcpy(out, stream->pending.data, n);
        buffer_consume(&stream->pending, n);
        return (long)n;
    }
    if (stream->is_ending)
        return -1;
    stream->is_asleep = true;
    return 0;
}

struct live_stream *live_stream_free(struct live_stream *stream)
{
    if (!stream)
        return NULL;
    list_remove(&stream->link);
    stream->webui->live.n_streams--;
    buffer_fini(&stream->pending);
    free(stream);
    return NULL;
}

/* What was not taken so far is not awaited: its client may not read at all. */
static void end(struct live_stream *stream)
{
    stream->is_ending = true;
    buffer_clear(&stream->pending);
    server_end_stream(stream);
    wake(stream);
}

void live_end_all(struct live *live)
{
    LIST_FOR_EACH(link, &live->streams)
    {
        end(CONTAINER_OF(link, struct live_stream, link));
    }
}

/* ---- telling ---- */

char *live_event_text(uint64_t number, enum live_topic topic, json_t *data)
{
    CLEANUP(free) char *json = json_dumps(data, JSON_COMPACT | JSON_ENSURE_ASCII);
    char *text = NULL;

    if (!json || asprintf(&text, "id: %llu\nevent: %s\ndata: %s\n\n", (unsigned long long)number,
                          topic_names[topic], json) < 0)
        return NULL;
    return text;
}

static void keep(struct live *live, uint64_t number, enum live_topic topic, char *text)
{
    struct live_event *place = &live->ring[number % LIVE_RING];

    free(place->text);
    place->number = number;
    place->topic = topic;
    place->text = text;
}

void live_tell(struct webui *webui, enum live_topic topic, json_t *data)
{
    struct live *live = &webui->live;
    /* Jobs end while their page reconnects, and nothing tells of them a second time. */
    bool is_told = topic == LIVE_JOBS || topic == LIVE_PATHS || live_is_watched(live, topic);
    char *text = is_told ? live_event_text(live->next_number, topic, data) : NULL;

    json_decref(data);
    if (!text)
        return;
    LIST_FOR_EACH(link, &live->streams)
    {
        struct live_stream *stream = CONTAINER_OF(link, struct live_stream, link);

        if (stream->topics & 1U << topic)
            live_append(stream, text);
    }
    keep(live, live->next_number++, topic, text);
}

void live_tell_pulse(struct webui *webui)
{
    if (live_is_watched(&webui->live, LIVE_OVERVIEW))
        live_tell(webui, LIVE_OVERVIEW, overview_json(webui));
    if (live_is_watched(&webui->live, LIVE_QUEUE))
        live_tell(webui, LIVE_QUEUE, overview_queue_json(webui));
}

/* ---- time ---- */

static bool watches_log(const struct live *live)
{
    return live_is_watched(live, LIVE_LOGS) || live_is_watched(live, LIVE_AUTH);
}

static bool has_access_changed(const struct live *live)
{
    return live->n_access_changes != live->webui->access.n_changes ||
           live->directory != live->webui->directory;
}

int live_timeout_ms(const struct live *live)
{
    int64_t now_ms = clock_monotonic_ms(), due_ms = live->beat_ms + BEAT_MS;

    if (live->n_streams == 0)
        return BEAT_MS;
    if (has_access_changed(live) && !live->webui->is_stopping)
        return 0;
    if (watches_log(live) && !live->is_asking && live->logs_ms + LOGS_MS < due_ms)
        due_ms = live->logs_ms + LOGS_MS;
    if (live->destinations_ms + DESTINATIONS_MS < due_ms)
        due_ms = live->destinations_ms + DESTINATIONS_MS;
    return due_ms > now_ms ? (int)(due_ms - now_ms) : 0;
}

/* Somebody signed out, or was signed out; lost a role, or a token. */
static void end_with_access(struct live *live)
{
    live->n_access_changes = live->webui->access.n_changes;
    live->directory = live->webui->directory;
    LIST_FOR_EACH(link, &live->streams)
    {
        struct live_stream *stream = CONTAINER_OF(link, struct live_stream, link);

        if (!stream->is_ending && !guard_still_admits(live->webui, &stream->caller))
            end(stream);
    }
}

static void beat(struct live *live, int64_t now_ms)
{
    live->beat_ms = now_ms;
    LIST_FOR_EACH(link, &live->streams)
    {
        live_append(CONTAINER_OF(link, struct live_stream, link), ": \n\n");
    }
}

void live_turn(struct live *live)
{
    int64_t now_ms = clock_monotonic_ms();

    if (live->n_streams == 0 || live->webui->is_stopping)
        return;
    if (has_access_changed(live))
        end_with_access(live);
    if (live_is_watched(live, LIVE_OVERVIEW) || live_is_watched(live, LIVE_QUEUE))
        pulse_want(&live->webui->pulse);
    if (now_ms - live->beat_ms >= BEAT_MS)
        beat(live, now_ms);
    if (watches_log(live) && !live->is_asking && now_ms - live->logs_ms >= LOGS_MS)
        live_ask_lines(live);
    if (now_ms - live->destinations_ms >= DESTINATIONS_MS) {
        live->destinations_ms = now_ms;
        end_with_access(live);
        live_tell(live->webui, LIVE_DESTINATIONS, json_pack("{s:b}", "changed", 1));
    }
}

/* ---- one more ---- */

/* Pages come and go faster than heartbeats: those whose client left do not count. */
static unsigned n_of(const struct live *live, const char *account)
{
    unsigned n = 0;

    LIST_FOR_EACH(link, &live->streams)
    {
        struct live_stream *stream = CONTAINER_OF(link, struct live_stream, link);

        if (!stream->is_ending && server_stream_is_left(stream)) {
            stream->is_ending = true;
            wake(stream);
        }
        n += !stream->is_ending && strcmp(stream->account, account) == 0;
    }
    return n;
}

/* N_LIVE_TOPICS: there is none of that name. */
static enum live_topic topic_named(struct slice name)
{
    unsigned topic = 0;

    while (topic < N_LIVE_TOPICS && !slice_equal(name, slice_of(topic_names[topic])))
        topic++;
    return (enum live_topic)topic;
}

/* "overview,logs,auth:anna" */
static bool read_topics(struct live_stream *stream, struct slice rest)
{
    while (rest.len) {
        ptrdiff_t comma = slice_find(rest, ',');
        struct slice word = comma < 0 ? rest : slice_head(rest, (size_t)comma);
        ptrdiff_t colon = slice_find(word, ':');
        struct slice name = colon < 0 ? word : slice_head(word, (size_t)colon);
        enum live_topic topic = topic_named(name);

        if (topic == N_LIVE_TOPICS || (colon >= 0 && topic != LIVE_AUTH))
            return false;
        if (colon >= 0)
            stream->user = slice_skip(word, (size_t)colon + 1);
        stream->topics |= 1U << topic;
        rest = slice_skip(rest, comma < 0 ? rest.len : (size_t)comma + 1);
    }
    return stream->topics != 0;
}

/* An SMTP user hears of the own logins and of nothing else. */
static bool may_hear(struct live_stream *stream, struct exchange *exchange)
{
    const struct caller *caller = &exchange->caller;

    if (caller->token_id || caller->account.kind != ACCOUNT_USER)
        return true;
    stream->user = slice_of(exchange->by);
    if (stream->topics == 1U << LIVE_AUTH)
        return true;
    exchange_problem(exchange, 403, "role_forbidden", "An SMTP user may listen to auth only.");
    return false;
}

static bool read_query(struct live_stream *stream, struct exchange *exchange)
{
    const char *topics = exchange_query(exchange, "topics"),
               *level = exchange_query(exchange, "level"),
               *event = exchange_query(exchange, "event"), *text = exchange_query(exchange, "text");

    stream->logs = (struct log_query){.level = LEVEL_INFO,
                                      .event = slice_of(event ? event : ""),
                                      .text = slice_of(text ? text : "")};
    if (!read_topics(stream, slice_of(topics ? topics : ""))) {
        exchange_problem(exchange, 422, "bad_topic",
                         "Topics are overview, queue, destinations, logs, jobs and auth:USER.");
        return false;
    }
    if (stream->topics & 1U << LIVE_JOBS && path_jobs_are_for(exchange))
        stream->topics |= 1U << LIVE_PATHS;
    if (level && !log_level_named(level, &stream->logs.level)) {
        exchange_problem(exchange, 422, "bad_level", "Levels are debug, info, warning and error.");
        return false;
    }
    return may_hear(stream, exchange);
}

static void replay(struct live *live, struct live_stream *stream, const char *last)
{
    uint64_t number;

    if (!slice_to_number(slice_of(last), INT64_MAX, &number))
        return;
    for (uint64_t i = number + 1 > live->next_number - LIVE_RING && number < live->next_number
                          ? number + 1
                          : live->next_number - LIVE_RING;
         i < live->next_number; i++) {
        const struct live_event *event = &live->ring[i % LIVE_RING];

        if (event->number == i && event->text && stream->topics & 1U << event->topic)
            live_append(stream, event->text);
    }
}

static bool has_room(const struct live *live, const struct live_stream *stream,
                     struct exchange *exchange)
{
    if (n_of(live, stream->account) < LIVE_MOST_OF_ONE && live->n_streams < LIVE_MOST_STREAMS)
        return true;
    exchange_problem(exchange, 429, "too_many_streams",
                     "Close another page first: four at once are enough.");
    return false;
}

struct live_stream *live_stream_new(struct exchange *exchange)
{
    struct live *live = &exchange->webui->live;
    struct live_stream *stream = calloc(1, sizeof(*stream));

    if (!stream) {
        exchange_problem(exchange, 500, "out_of_memory", "The service is out of memory.");
        return NULL;
    }
    stream->webui = exchange->webui;
    stream->caller = exchange->caller;
    stream->caller.scopes = (struct slice){0}; /* the exchange's */
    snprintf(stream->account, sizeof(stream->account), "%s %s",
             account_kind_name(stream->caller.account.kind), exchange->by);
    buffer_init(&stream->pending, LIVE_STREAM_BYTES);
    if (!read_query(stream, exchange) || !has_room(live, stream, exchange)) {
        buffer_fini(&stream->pending);
        free(stream);
        return NULL;
    }
    if (live->n_streams == 0) {
        live->beat_ms = live->destinations_ms = clock_monotonic_ms();
        live->last_line = 0; /* what was said while nobody listened is in GET /logs */
    }
    list_append(&live->streams, &stream->link);
    live->n_streams++;
    live_append(stream, "retry: 2000\n\n");
    replay(live, stream, exchange->last_event);
    return stream;
}

void api_events(struct exchange *exchange)
{
    if (exchange->is_head) { /* there is no end to leave out */
        exchange_answer_text(exchange, "text/event-stream", slice_of(""));
        return;
    }
    exchange->stream = live_stream_new(exchange);
    if (exchange->stream)
        exchange->status = 200;
}
