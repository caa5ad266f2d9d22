/* What happened: the last lines of the log, and what became of mail (history). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "relay/base/fault.h"
#include "relay/base/slice.h"
#include "relay/cli/call.h"
#include "relay/cli/nouns.h"

enum { MOST_LINES = 1000, USUAL_LINES = 200, USUAL_ROWS = 100, PAGE_ROWS = 1000 };

/* ---- what both ask ---- */

/* Appends "&name=value", percent-encoded; false without memory.  path is malloc()ed. */
static bool add_query(char **path, const char *name, const char *value)
{
    CLEANUP(free) char *escaped = value ? client_escape(value) : NULL;
    char *longer = NULL;

    if (!value)
        return true;
    if (!*path || !escaped ||
        asprintf(&longer, "%s%c%s=%s", *path, strchr(*path, '?') ? '&' : '?', name, escaped) < 0)
        return false;
    free(*path);
    *path = longer;
    return true;
}

static bool add_number(char **path, const char *name, uint64_t number)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    return add_query(path, name, text);
}

/* --limit, from 1 to most; false after a complaint. */
static bool read_limit(const struct options *options, uint64_t usual, uint64_t most, uint64_t *out)
{
    const char *text = option(options, "limit");

    *out = usual;
    if (!text || (slice_to_number(slice_of(text), most, out) && *out > 0))
        return true;
    print_complaint("--limit is a number from 1 on (of the log at most 1000)");
    return false;
}

/* ---- the log ---- */

static void print_log_line(const struct options *options, json_t *item)
{
    CLEANUP(free)
    char *line = options->wants_json ? json_dumps(item, JSON_COMPACT | JSON_ENSURE_ASCII)
                                     : print_member(item, "line");

    if (line)
        print_line("%s", line);
}

/* The newest line that was told; number is -1 while none has been asked for. */
struct told {
    json_int_t number;
    char at[40];
};

static json_int_t number_of(const json_t *item)
{
    return json_integer_value(json_object_get(item, "number"));
}

static const char *time_of(const json_t *item)
{
    const char *text = json_string_value(json_object_get(item, "ts"));

    return text ? text : "";
}

/* Numbers begin anew with the service; an older line is no sign of that, the newest may be
 * forgotten before it.  A busy service says more in a second than can be asked for. */
static void check_numbers(const json_t *items, struct told *last)
{
    size_t n = json_array_size(items);
    const json_t *newest = json_array_get(items, 0);

    if (n && number_of(newest) < last->number && strcmp(time_of(newest), last->at) > 0)
        last->number = 0;
    if (n == MOST_LINES && last->number >= 0 &&
        number_of(json_array_get(items, n - 1)) > last->number + 1)
        print_complaint("more came than can be shown: lines before the next are left out");
}

/* Those behind *last, the oldest first; *last is then the newest. */
static int print_new_lines(const struct options *options, const char *path, struct told *last)
{
    struct answer answer;
    int exit_code = client_ask(options, "GET", path, NULL, &answer);
    json_t *items = json_object_get(answer.body, "items");

    check_numbers(items, last);
    for (size_t i = json_array_size(items); i > 0; i--) {
        json_t *item = json_array_get(items, i - 1);

        if (number_of(item) <= last->number)
            continue;
        last->number = number_of(item);
        slice_copy_to(slice_of(time_of(item)), last->at, sizeof(last->at));
        print_log_line(options, item);
    }
    if (last->number < 0)
        last->number = 0;
    json_decref(answer.body);
    return exit_code;
}

static char *tail_path(const struct options *options, uint64_t limit)
{
    char *path = strdup("/api/v1/logs");

    if (add_number(&path, "limit", limit) && add_query(&path, "level", option(options, "level")) &&
        add_query(&path, "event", option(options, "event")) &&
        add_query(&path, "text", option(options, "text")))
        return path;
    free(path);
    return NULL;
}

/* With --follow until it is interrupted, or the service ends. */
int log_tail(struct options *options)
{
    CLEANUP(free) char *first = NULL, *next = NULL;
    struct told last = {.number = -1};
    uint64_t limit;
    int exit_code;

    if (!read_limit(options, USUAL_LINES, MOST_LINES, &limit))
        return EX_USAGE;
    first = tail_path(options, limit);
    next = tail_path(options, MOST_LINES);
    if (!first || !next)
        return EX_OSERR;
    exit_code = print_new_lines(options, first, &last);
    while (exit_code == EX_OK && option_is_set(options, "follow")) {
        (void)fflush(stdout);
        (void)sleep(1);
        exit_code = print_new_lines(options, next, &last);
    }
    return exit_code;
}

/* ---- history ---- */

static const struct column columns[] = {
    {"at",        "AT"       },
    {"id",        "ID"       },
    {"state",     "STATE"    },
    {"sender",    "SENDER"   },
    {"recipient", "RECIPIENT"},
    {"site",      "SITE"     },
    {"code",      "CODE"     },
    {"reply",     "REPLY"    },
    {NULL,        NULL       }
};

/* The words as the panel's search takes them, one behind the other; malloc()ed. */
static char *join_words(const struct options *options)
{
    char *words = strdup("");

    for (size_t i = 0; words && i < options->n_arguments; i++) {
        char *longer = NULL;

        if (asprintf(&longer, "%s%s%s", words, *words ? " " : "", options->arguments[i]) < 0)
            longer = NULL;
        free(words);
        words = longer;
    }
    return words;
}

static char *search_path(const struct options *options)
{
    CLEANUP(free) char *words = join_words(options);
    char *path = strdup("/api/v1/deliveries");

    if (words && add_query(&path, "filter", *words ? words : NULL) &&
        add_query(&path, "from", option(options, "from")) &&
        add_query(&path, "to", option(options, "to")))
        return path;
    free(path);
    return NULL;
}

/* A page may be short, or empty, because its time was over: the cursor says whether there is more.
 */
static int read_page(const struct options *options, const char *start, uint64_t n_wanted,
                     char **cursor, json_t *items)
{
    CLEANUP(free) char *path = strdup(start);
    struct answer answer;
    const char *next;
    int exit_code;

    if (!add_number(&path, "limit", n_wanted < PAGE_ROWS ? n_wanted : PAGE_ROWS) ||
        !add_query(&path, "cursor", *cursor))
        return EX_OSERR;
    exit_code = client_ask(options, "GET", path, NULL, &answer);
    json_array_extend(items, json_object_get(answer.body, "items"));
    next = json_string_value(json_object_get(answer.body, "next_cursor"));
    free(*cursor);
    *cursor = next ? strdup(next) : NULL;
    json_decref(answer.body);
    return exit_code;
}

int log_search(struct options *options)
{
    CLEANUP(free) char *path = search_path(options), *cursor = NULL;
    json_t *items;
    uint64_t limit;
    int exit_code;

    if (!read_limit(options, USUAL_ROWS, 1000000, &limit))
        return EX_USAGE;
    if (!path)
        return EX_OSERR;
    items = json_array();
    do
        exit_code = read_page(options, path, limit - json_array_size(items), &cursor, items);
    while (exit_code == EX_OK && cursor && json_array_size(items) < limit);
    if (exit_code == EX_OK)
        print_items(options, items, columns);
    json_decref(items);
    return exit_code;
}
