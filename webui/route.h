/* A row of the API: method, path, who may, what may come, who answers.  The rows stand in
 * routes_*.c, one table for each part; routes.c finds them, asks access.h and runs them.
 * webui/openapi.json describes the same rows, and a test compares the two.  Thread: the panel's. */
#pragma once

#include "webui/exchange.h"

/* Who may.  From FOR_VIEWER on each may what those before may. */
enum route_level {
    FOR_ANYBODY,   /* without a login: it tells nothing that could be misused */
    FOR_SIGNED_IN, /* every administrator and every SMTP user */
    FOR_SENDER,    /* SMTP users alone: their own rows and nobody else's */
    FOR_VIEWER,
    FOR_OPERATOR,
    FOR_ADMIN,
    FOR_OWNER,
};

enum {
    NEEDS_CONFIRMATION = 1, /* the password was given within the last minutes (not by tokens) */
    NO_AUDIT = 2,           /* changes nothing but who is signed in, or how it looks to them */
    IS_AUDITED = 4,         /* though it changes nothing */
    ONLY_ASKS = 8,          /* a POST, audited, that leaves its object as it is */
};

struct route {
    enum http_method method;
    enum route_level who;
    const char *path; /* {}: one argument, which may hold slashes */
    void (*run)(struct exchange *exchange);
    const char *scope; /* what a token needs; NULL: no token will do */
    unsigned flags;
    const char *query, *body; /* what may come: exchange_check_query(), exchange_check_body() */
};

struct route_table {
    const struct route *routes;
    size_t n_routes;
};

/* routes_mail.c: users, domains, queue, destinations and the service itself. */
extern const struct route_table mail_routes;
/* routes_data.c: history, counters, log, streams. */
extern const struct route_table data_routes;

/* routes_access.c: who gets in, and what is one's own. */
extern const struct route_table access_routes;

#define API  "/api/v1"
#define NONE ""

/* A row each.  clang-format leaves calls as they are, so that a new row touches no other. */
#define GET(path, run, who, scope, query)                                                          \
    {                                                                                              \
        HTTP_GET, FOR_##who, path, run, scope, 0, query, NONE                                      \
    }
#define POST(path, run, who, scope, body)                                                          \
    {                                                                                              \
        HTTP_POST, FOR_##who, path, run, scope, 0, NONE, body                                      \
    }
#define ASKING_POST(path, run, who, scope, body)                                                   \
    {                                                                                              \
        HTTP_POST, FOR_##who, path, run, scope, ONLY_ASKS, NONE, body                              \
    }
#define QUIET_POST(path, run, who, scope, body)                                                    \
    {                                                                                              \
        HTTP_POST, FOR_##who, path, run, scope, NO_AUDIT, NONE, body                               \
    }
#define QUIET_DELETE(path, run, who, scope, query)                                                 \
    {                                                                                              \
        HTTP_DELETE, FOR_##who, path, run, scope, NO_AUDIT, query, NONE                            \
    }
#define DELETE(path, run, who, scope, query)                                                       \
    {                                                                                              \
        HTTP_DELETE, FOR_##who, path, run, scope, 0, query, NONE                                   \
    }
#define CONFIRMED_GET(path, run, who, scope, query)                                                \
    {                                                                                              \
        HTTP_GET, FOR_##who, path, run, scope, NEEDS_CONFIRMATION | IS_AUDITED, query, NONE        \
    }
#define CONFIRMED_POST(path, run, who, scope, body)                                                \
    {                                                                                              \
        HTTP_POST, FOR_##who, path, run, scope, NEEDS_CONFIRMATION, NONE, body                     \
    }
#define CONFIRMED_DELETE(path, run, who, scope, query)                                             \
    {                                                                                              \
        HTTP_DELETE, FOR_##who, path, run, scope, NEEDS_CONFIRMATION, query, NONE                  \
    }

/* The rows of table i, or NULL behind the last: for tests that must meet every route. */
const struct route_table *routes_table(size_t i);
