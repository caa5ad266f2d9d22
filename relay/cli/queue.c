/* What waits: list, show, summary, why.  Orders on it are in queue_order.c. */
#include "relay/cli/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "relay/base/buffer.h"
#include "relay/cli/call.h"
#include "relay/cli/nouns.h"

enum { PAGE = 1000 };

static const struct column no_columns[] = {
    {NULL, NULL}
};

/* Its final dot went out, or may have, and was not answered. */
static bool is_doubtful(json_t *recipient)
{
    return json_is_object(json_object_get(recipient, "doubtful"));
}

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

        print_line("    %s. %s  %s  attempts %s  next %s  %s%s", n, address, state, attempts, next,
                   is_doubtful(recipient) ? "MAY BE DELIVERED  " : "", reply);
    }
}

static void print_page(const struct options *options, json_t *items, size_t most)
{
    size_t index;
    json_t *item;

    while (json_array_size(items) > most)
        json_array_remove(items, json_array_size(items) - 1);
    if (options->wants_json) {
        print_items(options, items, no_columns);
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

static int get_page(const struct options *options, size_t n_left, const char *cursor,
                    struct answer *answer)
{
    static const char *const words[] = {"dest", "user", "state", "from"};
    CLEANUP(buffer) struct buffer path = BUFFER_INIT;

    *answer = (struct answer){0};
    buffer_printf(&path, QUEUE "?limit=%zu", n_left < PAGE ? n_left : (size_t)PAGE);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        append_query(&path, words[i], option(options, words[i]));
    append_query(&path, "cursor", cursor);
    buffer_append_byte(&path, '\0');
    return buffer_error(&path) < 0 ? EX_OSERR : client_ask(options, "GET", path.data, NULL, answer);
}

/* Page by page, so that a long queue starts to show at once. */
static int list(const struct options *options, size_t n_left)
{
    CLEANUP(free) char *cursor = NULL;
    int exit_code = EX_OK;

    while (exit_code == EX_OK && n_left > 0) {
        struct answer answer;
        json_t *items;
        const char *next;
        size_t n;

        exit_code = get_page(options, n_left, cursor, &answer);
        items = json_object_get(answer.body, "items");
        n = json_array_size(items);
        if (exit_code == EX_OK)
            print_page(options, items, n_left);
        next = json_string_value(json_object_get(answer.body, "next_cursor"));
        free(cursor);
        cursor = next ? strdup(next) : NULL;
        json_decref(answer.body);
        n_left = cursor && n < n_left ? n_left - n : 0;
    }
    return exit_code;
}

int queue_list(struct options *options)
{
    const char *limit = option(options, "limit");
    uint64_t n_most = SIZE_MAX;

    if (limit && !slice_to_number(slice_of(limit), UINT32_MAX, &n_most)) {
        print_complaint("--limit is a number");
        return EX_USAGE;
    }
    return list(options, n_most);
}

static int show_one(const struct options *options, const char *id)
{
    CLEANUP(free) char *path = call_path(QUEUE "/%s", id);
    struct answer answer;
    int exit_code = client_ask(options, "GET", path, NULL, &answer);

    if (exit_code == EX_OK && options->wants_json)
        print_object(options, answer.body, no_columns);
    else if (exit_code == EX_OK)
        print_item(answer.body);
    json_decref(answer.body);
    return exit_code;
}

int queue_show(struct options *options)
{
    json_t *ids = queue_ids(options);
    int worst = EX_OK;

    if (!ids && !queue_has_words(options))
        return queue_complain_selection();
    if (!ids)
        return list(options, SIZE_MAX);
    for (size_t i = 0; i < json_array_size(ids); i++) {
        int exit_code = show_one(options, json_string_value(json_array_get(ids, i)));

        if (exit_code != EX_OK)
            worst = exit_code;
    }
    json_decref(ids);
    return worst;
}

int queue_summary(struct options *options)
{
    static const struct column columns[] = {
        {"queued",   "queued"  },
        {"sending",  "sending" },
        {"deferred", "deferred"},
        {"held",     "held"    },
        {NULL,       NULL      }
    };
    static const struct column domain_columns[] = {
        {"domain",     "DOMAIN"    },
        {"recipients", "RECIPIENTS"},
        {NULL,         NULL        }
    };
    struct answer answer;
    int exit_code = client_ask(options, "GET", QUEUE "/summary", NULL, &answer);
    json_t *domains = json_object_get(answer.body, "domains");

    if (exit_code == EX_OK && options->wants_json) {
        print_object(options, answer.body, no_columns);
    } else if (exit_code == EX_OK) {
        print_object(options, json_object_get(answer.body, "by_state"), columns);
        if (json_array_size(domains))
            print_items(options, domains, domain_columns);
    }
    json_decref(answer.body);
    return exit_code;
}

/* Ids are digits and capitals, domains have a dot or a small letter. */
int queue_why(struct options *options)
{
    static const struct column columns[] = {
        {"id",            "ID"          },
        {"n",             "RCPT"        },
        {"state",         "STATE"       },
        {"sentence",      "WHY"         },
        {"since",         "SINCE"       },
        {"until",         "UNTIL"       },
        {"site",          "SITE"        },
        {"last_delivery", "LAST"        },
        {"command",       "TO CHANGE IT"},
        {"doubtful",      "DOUBT"       },
        {"reason",        "SAID"        },
        {NULL,            NULL          }
    };
    const char *what = options->arguments[0];
    bool is_id = strspn(what, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(what);
    CLEANUP(free) char *path = call_path(is_id ? QUEUE "/why?id=%s" : QUEUE "/why?domain=%s", what);

    return call_list(options, path, columns);
}
