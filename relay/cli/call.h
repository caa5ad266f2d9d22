/* What most verbs are: one request, then a list, an object, or silence.
 * Thread: main; private to relay/cli. */
#pragma once

#include "relay/cli/client.h"
#include "relay/cli/options.h"
#include "relay/cli/print.h"

/* GET path (all pages) and print the items, or the object. */
int call_list(const struct options *options, const char *path, const struct column *columns);
int call_show(const struct options *options, const char *path, const struct column *columns);

/* method on a path made of format with one percent-encoded argument; nothing is printed when it
 * went well, unless --json.  body is taken. */
int call_quietly(const struct options *options, const char *method, const char *format,
                 const char *argument, json_t *body);

/* {reason, for_seconds} of an order, the span of --for; NULL after a complaint. */
json_t *call_order(const struct options *options, const char *reason);

/* "/api/v1/users/%s" with the argument percent-encoded; malloc()ed. */
char *call_path(const char *format, const char *argument);

/* The next line of stdin without its line end; malloc()ed.  NULL at the end, or with a NUL in it.
 */
char *call_read_line(void);
