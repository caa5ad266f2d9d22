/* One HTTP request and its answer, without a word of the HTTP library: handlers read inputs here
 * and answer here, now or on a later turn of the panel thread.
 * Thread: the panel's; private to webui. */
#pragma once

#include <jansson.h>

#include "relay/base/arena.h"
#include "webui/webui_private.h"

enum http_method { HTTP_GET, HTTP_POST, HTTP_DELETE, N_HTTP_METHODS };

enum { EXCHANGE_MAX_BODY = 1024 * 1024, EXCHANGE_MEMORY = 4 * 1024 * 1024 };

struct exchange {
    struct webui *webui;
    enum http_method method;
    const char *path;      /* decoded, as the client asked */
    struct slice argument; /* what stood in the route's {}, percent-decoded by the library */
    char by[64];           /* who asks, for the log */
    bool is_local;         /* over control.sock: peer credentials stand for the login */
    json_t *body;          /* an object; NULL without one */
    struct arena arena;    /* for what handlers need until the answer */

    /* The answer. */
    unsigned status; /* 0: not yet */
    const char *content_type;
    char *text; /* malloc()ed */
    size_t text_len;

    void *connection; /* server.c's */
    struct buffer upload;
    bool is_dispatched, is_suspended, is_gone;
};

/* Query parameter, or NULL; good during the exchange. */
const char *exchange_query(const struct exchange *exchange, const char *name);

/* Text member of the body (or NULL) and number (or fallback); a member of another type counts as
 * absent, and exchange_expect_text() says so to the client. */
const char *exchange_text(const struct exchange *exchange, const char *name);
bool exchange_flag(const struct exchange *exchange, const char *name);

/* The text, or NULL after answering 422 `missing_field`. */
const char *exchange_expect_text(struct exchange *exchange, const char *name);

/* Copies an array of texts into the arena; -1 after answering 422 when it holds anything else. */
int exchange_texts(struct exchange *exchange, const char *name, const struct slice **out);

/* Each answers; body is taken.  Once per exchange; on a later turn it wakes the connection. */
void exchange_answer(struct exchange *exchange, unsigned status, json_t *body);
void exchange_answer_items(struct exchange *exchange, json_t *items, const char *next_cursor);

/* RFC 9457: {"type","title","status","code","detail"}; code is stable, detail is for people. */
void exchange_problem(struct exchange *exchange, unsigned status, const char *code,
                      const char *detail);
void exchange_busy(struct exchange *exchange); /* 503 `busy` */

/* For handlers that answer later: memory of the exchange's arena, zeroed; NULL after a 500. */
void *exchange_memory(struct exchange *exchange, size_t bytes);

json_t *json_slice(struct slice text); /* bytes that are no UTF-8 come as U+FFFD */
json_t *json_time(int64_t utc_ms);     /* RFC 3339, null for 0 */
