/* One HTTP request and its answer, without a word of the HTTP library: handlers read inputs here
 * and answer here, now or on a later turn of the panel thread.
 * Thread: the panel's; private to webui. */
#pragma once

#include <jansson.h>

#include "relay/base/arena.h"
#include "relay/net/socket_address.h"
#include "webui/webui_private.h"

enum http_method { HTTP_GET, HTTP_POST, HTTP_DELETE, N_HTTP_METHODS };

enum {
    EXCHANGE_MAX_BODY = 1024 * 1024,
    EXCHANGE_MEMORY = 4 * 1024 * 1024,
    EXCHANGE_MAX_QUERIES = 32,
};

struct query_value {
    const char *name, *value; /* of the arena */
};

/* The header fields that anybody here looks at; NULL: not there.  The first two are secrets. */
struct exchange_fields {
    char *cookie, *authorization;
    const char *host, *origin, *fetch_site, *content_type, *staffetta, *agent, *if_none_match,
        *if_match, *idempotency_key, *accept, *accept_encoding, *accept_language, *last_event_id;
    bool has_body;
};

struct route;

struct exchange {
    struct webui *webui;
    enum http_method method;
    const char *path;            /* decoded, as the client asked */
    struct slice argument;       /* what stood in the route's {}, percent-decoded by the library */
    char by[256];                /* who asks, for the log */
    char from[SOCKET_TEXT_SIZE]; /* its address, or "socket" */
    bool is_local;               /* over control.sock: peer credentials stand for the login */
    bool is_secure;              /* over TLS */
    bool is_head;                /* HEAD: a GET whose answer has no body */
    struct ip_address peer;
    struct exchange_fields fields;
    struct caller caller;
    const struct route *route; /* NULL: not found yet, or none */
    json_t *before;            /* what a change is going to change, for the audit; NULL: nothing */
    struct query_value *queries;
    size_t n_queries;
    json_t *body;          /* an object; NULL without one */
    struct arena arena;    /* for what handlers need until the answer */
    struct list turn;      /* of a bounded kind: turns.h */
    struct list change;    /* in webui->changes: state.h */
    bool is_repeated;      /* nothing was done now: no row in the audit */
    struct repeat *repeat; /* of its Idempotency-Key, until it is answered; NULL: none */

    /* The answer. */
    unsigned status; /* 0: not yet */
    const char *content_type;
    char *text; /* malloc()ed */
    size_t text_len;
    const char *allow;         /* with 405: the methods that would do */
    const struct asset *asset; /* a file of the panel instead of text */
    const char *etag;
    char set_cookie[192];
    unsigned retry_after_s; /* 0: not said */

    struct live_stream *stream; /* the answer has no end (live.h); with status 200 */
    char last_event[24];        /* the last that the client had of a stream before */

    void *connection; /* server.c's */
    struct buffer upload;
    size_t n_uploaded;
    bool is_dispatched, is_suspended;
};

/* Wipes what may be secret in it. */
void exchange_free(struct exchange *exchange);

/* Makes body of upload; false after answering 400 or 413. */
bool exchange_read_body(struct exchange *exchange);

/* Answers 422 and returns false when the query or the body has a member that allowed does not name,
 * twice, or of another type: what is misspelled must never widen an order.  Of a query allowed is
 * "name name"; of a body "name=type", where type is text (not empty), any_text, texts, flag, number
 * or object. */
bool exchange_check_query(struct exchange *exchange, const char *allowed);
bool exchange_check_body(struct exchange *exchange, const char *allowed);

/* Query parameter, or NULL; good during the exchange. */
const char *exchange_query(const struct exchange *exchange, const char *name);

/* Members of the body, as exchange_check_body() let them pass; NULL or false when absent. */
const char *exchange_text(const struct exchange *exchange, const char *name);
bool exchange_flag(const struct exchange *exchange, const char *name);

/* The text, not empty; or NULL after answering 422 `missing_field`. */
const char *exchange_expect_text(struct exchange *exchange, const char *name);

/* The texts of a list, in the arena; their number, or -1 after a 500. */
int exchange_texts(struct exchange *exchange, const char *name, const struct slice **out);

/* Each answers; body is taken.  Once per exchange; on a later turn it wakes the connection. */
void exchange_answer(struct exchange *exchange, unsigned status, json_t *body);
void exchange_answer_text(struct exchange *exchange, const char *content_type, struct slice text);
void exchange_answer_buffer(struct exchange *exchange, const char *content_type,
                            struct buffer *text); /* its bytes are taken, not copied */
/* What was answered before (repeats.h). */
void exchange_answer_kept(struct exchange *exchange, unsigned status, const char *content_type,
                          struct slice text);
void exchange_answer_items(struct exchange *exchange, json_t *items, const char *next_cursor);

/* RFC 9457: {"type","title","status","code","detail"}; code is stable, detail is for people. */
void exchange_problem(struct exchange *exchange, unsigned status, const char *code,
                      const char *detail);
void exchange_problem_with(struct exchange *exchange, unsigned status, const char *code,
                           const char *detail, json_t *params); /* params are taken */
void exchange_busy(struct exchange *exchange);                  /* 503 `busy` */

/* Name of the session's cookie: __Host-sid, over plain HTTP sid. */
const char *exchange_cookie_name(const struct exchange *exchange);

/* For handlers that answer later: memory of the exchange's arena, zeroed; NULL after a 500. */
void *exchange_memory(struct exchange *exchange, size_t bytes);

json_t *json_slice(struct slice text);               /* bytes that are no UTF-8 come as U+FFFD */
json_t *json_split(struct slice list, char between); /* an array of what is between, as above */
json_t *json_time(int64_t utc_ms);                   /* RFC 3339, null for 0 */
