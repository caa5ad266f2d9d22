#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "relay/base/buffer.h"
#include "relay/cli/call.h"
#include "relay/cli/nouns.h"

#define QUEUE "/api/v1/queue"

enum { PAGE = 1000 };

/* ---- showing ---- */

static void print_item(json_t *item)
{
    CLEANUP(free) char *id = print_member(item, "id");
    CLEANUP(free) char *user = print_member(item, "user");
    CLEANUP(free) char *sender = print_member(item, "sender");
    CLEANUP(free) char *size = print_member(item, "size");
    CLEANUP(free) char *arrived = print_member(item, "arrived");
    size_t index;
    json_t *recipient;

    print_line("%s  %s bytes  %s  user %s  from %s", id, size, arrived, user, sender);
    json_array_foreach(json_object_get(item, "recipients"), index, recipient)
    {
        CLEANUP(free) char *n = print_member(recipient, "n");
        CLEANUP(free) char *address = print_member(recipient, "address");
        CLEANUP(free) char *state = print_member(recipient, "state");
        CLEANUP(free) char *attempts = print_member(recipient, "attempts");
        CLEANUP(free) char *next = print_member(recipient, "next");
        CLEANUP(free) char *reply = print_member(recipient, "reply");

        print_line("    %s. %s  %s  attempts %s  next %s  %s", n, address, state, attempts, next,
                   reply);
    }
}

static void print_page(const struct options *options, json_t *body, size_t most)
{
    static const struct column none[] = {
        {NULL, NULL}
    };
    json_t *items = json_object_get(body, "items");
    size_t index;
    json_t *item;

    while (json_array_size(items) > most)
        json_array_remove(items, json_array_size(items) - 1);
    if (options->wants_json) {
        print_items(options, body, none);
        return;
    }
    json_array_foreach(items, index, item) print_item(item);
}

static void append_query(struct buffer *path, const char *name, const char *value)
{
    CLEANUP(free) char *escaped = value ? client_escape(value) : NULL;

    if (escaped)
        buffer_printf(path, "&%s=%s", name, escaped);
}

static int get_page(struct options *options, size_t n_left, const char *cursor,
                    struct answer *answer)
{
    CLEANUP(buffer) struct buffer path = BUFFER_INIT;

    buffer_printf(&path, QUEUE "?limit=%zu", n_left < PAGE ? n_left : (size_t)PAGE);
    append_query(&path, "dest", option(options, "dest"));
    append_query(&path, "user", option(options, "user"));
    append_query(&path, "state", option(options, "state"));
    append_query(&path, "from", option(options, "from"));
    append_query(&path, "cursor", cursor);
    buffer_append_byte(&path, '\0');
    return client_ask(options, "GET", path.data, NULL, answer);
}

int queue_list(struct options *options)
{
    const char *limit = option(options, "limit");
    uint64_t n_left = UINT32_MAX;
    CLEANUP(free) char *cursor = NULL;
    int exit_code = EX_OK;

    if (limit && !slice_to_number(slice_of(limit), UINT32_MAX, &n_left)) {
        fputs("staffetta: --limit is a number\n", stderr);
        return EX_USAGE;
    }
    while (exit_code == EX_OK && n_left > 0) {
        struct answer answer;
        const char *next;
        size_t n;

        exit_code = get_page(options, n_left, cursor, &answer);
        n = json_array_size(json_object_get(answer.body, "items"));
        if (exit_code == EX_OK)
            print_page(options, answer.body, n_left);
        next = json_string_value(json_object_get(answer.body, "next_cursor"));
        free(cursor);
        cursor = next ? strdup(next) : NULL;
        json_decref(answer.body);
        n_left = cursor && n < n_left ? n_left - n : 0;
    }
    return exit_code;
}

int queue_show(struct options *options)
{
    static const struct column none[] = {
        {NULL, NULL}
    };
    int worst = EX_OK;

    for (size_t i = 0; i < options->n_arguments; i++) {
        CLEANUP(free) char *path = call_path(QUEUE "/%s", options->arguments[i]);
        struct answer answer;
        int exit_code = client_ask(options, "GET", path, NULL, &answer);

        if (exit_code != EX_OK)
            worst = exit_code;
        else if (options->wants_json)
            print_object(options, answer.body, none);
        else
            print_item(answer.body);
        json_decref(answer.body);
    }
    return worst;
}

int queue_summary(struct options *options)
{
    struct answer answer;
    int exit_code = client_ask(options, "GET", QUEUE "/summary", NULL, &answer);
    json_t *states = json_object_get(answer.body, "by_state");
    static const struct column columns[] = {
        {"queued",   "queued"  },
        {"sending",  "sending" },
        {"deferred", "deferred"},
        {"held",     "held"    },
        {NULL,       NULL      }
    };

    if (exit_code == EX_OK)
        print_object(options, states, columns);
    json_decref(answer.body);
    return exit_code;
}

/* What has a dot is a domain; queue ids have none. */
int queue_why(struct options *options)
{
    static const struct column columns[] = {
        {"id",     "ID"    },
        {"n",      "RCPT"  },
        {"state",  "STATE" },
        {"why",    "WHY"   },
        {"until",  "UNTIL" },
        {"site",   "SITE"  },
        {"reason", "REASON"},
        {NULL,     NULL    }
    };
    const char *what = options->arguments[0];
    CLEANUP(free)
    char *path = call_path(strchr(what, '.') ? QUEUE "/why?domain=%s" : QUEUE "/why?id=%s", what);

    return call_list(options, path, columns);
}

/* ---- orders ---- */

static bool add_ids_of_stdin(json_t *ids)
{
    char *line;

    while ((line = call_read_line())) {
        struct slice id = slice_trim(slice_of(line));

        if (id.len)
            json_array_append_new(ids, json_stringn(id.data, id.len));
        free(line);
    }
    return json_array_size(ids) > 0;
}

static bool add_ids(const struct options *options, json_t *body)
{
    json_t *ids = json_array();

    json_object_set_new(body, "ids", ids);
    for (size_t i = 0; i < options->n_arguments; i++)
        if (strcmp(options->arguments[i], "-") == 0)
            return add_ids_of_stdin(ids);
        else
            json_array_append_new(ids, json_string(options->arguments[i]));
    return true;
}

static json_t *selection_of(const struct options *options)
{
    static const char *const words[] = {"dest", "user", "from", "reason"};
    json_t *body = json_object();

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (option(options, words[i]))
            json_object_set_new(body, words[i], json_string(option(options, words[i])));
    json_object_set_new(body, "all", json_boolean(option_is_set(options, "all")));
    json_object_set_new(body, "dry_run", json_boolean(option_is_set(options, "dry-run")));
    return body;
}

static int order(struct options *options, const char *verb)
{
    static const struct column columns[] = {
        {"selected", "selected"  },
        {"busy",     "being sent"},
        {NULL,       NULL        }
    };
    json_t *body = selection_of(options);
    CLEANUP(free) char *path = call_path(QUEUE ":%s", verb);
    struct answer answer;
    int exit_code;

    if (!add_ids(options, body)) {
        json_decref(body);
        fputs("staffetta: no id came on stdin\n", stderr);
        return EX_DATAERR;
    }
    exit_code = client_ask(options, "POST", path, body, &answer);
    if (exit_code == EX_OK)
        print_object(options, answer.body, columns);
    if (exit_code == EX_OK && json_integer_value(json_object_get(answer.body, "selected")) == 0)
        exit_code = EX_NOUSER;
    json_decref(answer.body);
    return exit_code;
}

int queue_retry(struct options *options)
{
    return order(options, "retry");
}

int queue_hold(struct options *options)
{
    return order(options, "hold");
}

int queue_release(struct options *options)
{
    return order(options, "release");
}

int queue_requeue(struct options *options)
{
    return order(options, "requeue");
}

int queue_bounce(struct options *options)
{
    return order(options, "bounce");
}

int queue_delete(struct options *options)
{
    return order(options, "delete");
}
