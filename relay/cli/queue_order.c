/* Orders on what waits: retry, hold, release, requeue, bounce, delete. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "relay/base/fault.h"
#include "relay/base/slice.h"
#include "relay/cli/call.h"
#include "relay/cli/nouns.h"
#include "relay/cli/queue.h"

enum { BATCH = 20000 }; /* ids a request: its body stays below the service's bound */

static void add_ids_of_stdin(json_t *ids)
{
    char *line;

    while ((line = call_read_line())) {
        struct slice id = slice_trim(slice_of(line));

        if (id.len)
            json_array_append_new(ids, json_stringn(id.data, id.len));
        free(line);
    }
}

json_t *queue_ids(const struct options *options)
{
    json_t *ids = options->n_arguments ? json_array() : NULL;

    for (size_t i = 0; ids && i < options->n_arguments; i++)
        if (strcmp(options->arguments[i], "-") == 0)
            add_ids_of_stdin(ids);
        else
            json_array_append_new(ids, json_string(options->arguments[i]));
    return ids;
}

static const char *const words[] = {"dest", "user", "from", "campaign"};

bool queue_has_words(const struct options *options)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (option_is_set(options, words[i]))
            return true;
    return option_is_set(options, "all");
}

int queue_complain_selection(void)
{
    print_complaint("say which: ID…, - (ids on stdin), --dest D, --user U, --from S, "
                    "--campaign C, or --all");
    return EX_USAGE;
}

static json_t *body_of(const struct options *options)
{
    json_t *body = json_object();

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (option_is_set(options, words[i]))
            json_object_set_new(body, words[i], json_string(option(options, words[i])));
    if (option_is_set(options, "reason"))
        json_object_set_new(body, "reason", json_string(option(options, "reason")));
    json_object_set_new(body, "all", json_boolean(option_is_set(options, "all")));
    json_object_set_new(body, "dry_run", json_boolean(option_is_set(options, "dry-run")));
    return body;
}

static void add_numbers(json_t *total, json_t *more)
{
    const char *name;
    json_t *value;

    json_object_foreach(more, name, value)
    {
        json_t *sum = json_object_get(total, name);

        if (!sum)
            json_object_set(total, name, value);
        else if (json_is_integer(value))
            json_integer_set(sum, json_integer_value(sum) + json_integer_value(value));
    }
}

/* One answer onto those before; by_state is an object of numbers itself. */
static void add_up(json_t *total, json_t *more)
{
    json_t *states = json_object_get(total, "by_state");

    if (states)
        add_numbers(states, json_object_get(more, "by_state"));
    add_numbers(total, more);
}

static int send_one(const struct options *options, const char *path, json_t *body, json_t *total)
{
    struct answer answer;
    int exit_code = client_ask(options, "POST", path, body, &answer);

    if (exit_code == EX_OK)
        add_up(total, answer.body);
    json_decref(answer.body);
    return exit_code;
}

/* ids (NULL: none were given) go in batches. */
static int send_all(const struct options *options, const char *path, json_t *ids, json_t *total)
{
    size_t n = json_array_size(ids), at = 0;
    int exit_code;

    if (!ids)
        return send_one(options, path, body_of(options), total);
    do {
        json_t *body = body_of(options), *batch = json_array();

        for (size_t end = at + BATCH; at < n && at < end; at++)
            json_array_append(batch, json_array_get(ids, at));
        json_object_set_new(body, "ids", batch);
        exit_code = send_one(options, path, body, total);
    } while (exit_code == EX_OK && at < n);
    return exit_code;
}

static int order(const struct options *options, const char *verb)
{
    static const struct column columns[] = {
        {"selected", "selected"  },
        {"busy",     "being sent"},
        {NULL,       NULL        }
    };
    CLEANUP(free) char *path = call_path(QUEUE ":%s", verb);
    json_t *ids, *total;
    int exit_code;

    if (!options->n_arguments && !queue_has_words(options))
        return queue_complain_selection();
    ids = queue_ids(options);
    if (ids && json_array_size(ids) == 0) {
        print_complaint("no id came on stdin");
        json_decref(ids);
        return EX_DATAERR;
    }
    total = json_object();
    exit_code = send_all(options, path, ids, total);
    if (exit_code == EX_OK)
        print_object(options, total, columns);
    /* Who names messages wants to know that none of them waits; who names words may find none. */
    if (exit_code == EX_OK && ids && json_integer_value(json_object_get(total, "selected")) == 0)
        exit_code = EX_NOUSER;
    json_decref(ids);
    json_decref(total);
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
