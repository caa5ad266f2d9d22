#include "relay/cli/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "relay/base/fault.h"

int call_list(const struct options *options, const char *path, const struct column *columns)
{
    struct answer answer;
    int exit_code = client_ask(options, "GET", path, NULL, &answer);

    if (exit_code == EX_OK)
        print_items(options, answer.body, columns);
    json_decref(answer.body);
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

    if (len < 0) {
        free(line);
        return NULL;
    }
    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        line[--len] = '\0';
    return line;
}
