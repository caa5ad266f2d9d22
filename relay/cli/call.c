#include "relay/cli/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "relay/base/fault.h"
#include "relay/control/config.h"

/* All pages as one list. */
static int get_all(const struct options *options, const char *path, json_t *items)
{
    CLEANUP(free) char *cursor = NULL;
    int exit_code;

    do {
        CLEANUP(free) char *escaped = cursor ? client_escape(cursor) : NULL;
        CLEANUP(free) char *whole = NULL;
        struct answer answer;
        const char *next;

        if (asprintf(&whole, "%s%s%s", path,
                     !escaped            ? ""
                     : strchr(path, '?') ? "&cursor="
                                         : "?cursor=",
                     escaped ? escaped : "") < 0)
            return EX_OSERR;
        exit_code = client_ask(options, "GET", whole, NULL, &answer);
        json_array_extend(items, json_object_get(answer.body, "items"));
        next = json_string_value(json_object_get(answer.body, "next_cursor"));
        free(cursor);
        cursor = next ? strdup(next) : NULL;
        json_decref(answer.body);
    } while (exit_code == EX_OK && cursor);
    return exit_code;
}

int call_list(const struct options *options, const char *path, const struct column *columns)
{
    json_t *items = json_array();
    int exit_code = path ? get_all(options, path, items) : EX_OSERR;

    if (exit_code == EX_OK)
        print_items(options, items, columns);
    json_decref(items);
    return exit_code;
}

int call_show(const struct options *options, const char *path, const struct column *columns)
{
    struct answer answer;
    int exit_code = client_ask(options, "GET", path, NULL, &answer);

    if (exit_code == EX_OK)
        print_object(options, answer.body, columns);
    json_decref(answer.body);
    return exit_code;
}

char *call_path(const char *format, const char *argument)
{
    const char *hole = strstr(format, "%s");
    CLEANUP(free) char *escaped = client_escape(argument);
    char *path = NULL;

    if (!hole || !escaped ||
        asprintf(&path, "%.*s%s%s", (int)(hole - format), format, escaped, hole + 2) < 0)
        return NULL;
    return path;
}

int call_quietly(const struct options *options, const char *method, const char *format,
                 const char *argument, json_t *body)
{
    static const struct column none[] = {
        {NULL, NULL}
    };
    CLEANUP(free) char *path = call_path(format, argument);
    struct answer answer;
    int exit_code;

    if (!path) {
        json_decref(body);
        return EX_OSERR;
    }
    exit_code = client_ask(options, method, path, body, &answer);
    if (exit_code == EX_OK && options->wants_json && answer.body)
        print_object(options, answer.body, none);
    json_decref(answer.body);
    return exit_code;
}

char *call_read_line(void)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len = getline(&line, &size, stdin);

    /* A NUL would cut off what stands behind it. */
    if (len < 0 || strlen(line) != (size_t)len) {
        free(line);
        return NULL;
    }
    if (len > 0 && line[len - 1] == '\n')
        line[--len] = '\0';
    if (len > 0 && line[len - 1] == '\r')
        line[--len] = '\0';
    return line;
}

json_t *call_order(const struct options *options, const char *reason)
{
    const char *span = option(options, "for");
    int64_t ms = 0;
    json_t *body;

    if (span && (!config_parse_span(span, &ms) || ms < 1000)) {
        print_complaint("--for is a duration such as 30m or 2h");
        return NULL;
    }
    body = json_pack("{s:s}", "reason", reason);
    if (span)
        json_object_set_new(body, "for_seconds", json_integer(ms / 1000));
    return body;
}
