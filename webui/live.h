/* What is told without being asked: server-sent events, one stream a page.  Streams sleep inside
 * the HTTP library until there is something, at the latest a heartbeat, for only then is a client
 * seen to be gone.  The last events are kept for streams that come back. Thread: the panel's. */
#pragma once

#include "relay/base/list.h"
#include "relay/events/events.h"
#include "webui/access.h"

struct directory;
struct exchange;
struct webui;
typedef struct json_t json_t;

enum live_topic {
    LIVE_OVERVIEW,
    LIVE_QUEUE,
    LIVE_DESTINATIONS,
    LIVE_LOGS,
    LIVE_JOBS,
    LIVE_AUTH,
    LIVE_PATHS, /* jobs, too: of tests of the way, for who may begin them */
    N_LIVE_TOPICS
};

enum {
    LIVE_MOST_STREAMS = 128, /* in all; connections are 256 */
    LIVE_MOST_OF_ONE = 4,    /* of an account, in however many sessions */
    LIVE_RING = 256,
    LIVE_STREAM_BYTES = 256 * 1024, /* not taken: the client is too slow and must come back */
};

struct live_stream {
    struct list link;
    struct webui *webui;
    void *connection;      /* server.c's; set once it is served */
    char account[288];     /* whose: for the bound */
    struct caller caller;  /* when he may no more, the stream ends */
    unsigned topics;       /* bits 1 << enum live_topic */
    struct slice user;     /* of LIVE_AUTH; the exchange's */
    struct log_query logs; /* of LIVE_LOGS; the exchange's texts */
    struct buffer pending;
    bool is_asleep, is_ending;
};

struct live_event {
    uint64_t number; /* 0: none */
    enum live_topic topic;
    char *text; /* the whole event, as it is sent */
};

struct live {
    struct webui *webui;
    struct list streams;
    unsigned n_streams;
    uint64_t next_number; /* of events; begins with the time, so that restarts do not repeat it */
    struct live_event ring[LIVE_RING];
    int64_t beat_ms, logs_ms, destinations_ms;
    struct events_question question;
    uint64_t last_line;
    bool is_asking;
    /* What access was like when the streams were last looked through. */
    unsigned n_access_changes;
    const struct directory *directory; /* compared alone */
};

void live_init(struct live *live, struct webui *webui);
void live_fini(struct live *live);
int live_timeout_ms(const struct live *live);
void live_turn(struct live *live);
/* Every stream ends within seconds, whether its client reads or not; before the daemons stop. */
void live_end_all(struct live *live);
bool live_is_watched(const struct live *live, enum live_topic topic);

/* To all streams of that topic, and for later; data is taken. */
void live_tell(struct webui *webui, enum live_topic topic, json_t *data);
void live_tell_pulse(struct webui *webui); /* a look is over (pulse.h) */

/* NULL after answering 422 or 429. */
struct live_stream *live_stream_new(struct exchange *exchange);
struct live_stream *live_stream_free(struct live_stream *stream); /* NULL in, NULL out */

/* For server.c: at most size bytes; 0: nothing now, put it to sleep; -1: the end. */
long live_stream_read(struct live_stream *stream, char *out, size_t size);

void api_events(struct exchange *exchange);
