/* "Why is it waiting?", of a message or a destination: one answer, made by the scheduler. */
#include <stdio.h>
#include <string.h>

#include "relay/base/buffer.h"
#include "relay/base/list.h"
#include "relay/spool/queue_id.h"
#include "webui/exchange.h"
#include "webui/routes.h"

struct question {
    struct delivery_why why;
    struct exchange *exchange;
};

static json_t *time_or_null(int64_t utc_ms)
{
    return utc_ms < 0 ? json_null() : json_time(utc_ms);
}

/* One word of a shell's line: names are what senders and zones made them, and people paste this. */
static void append_word(struct buffer *out, const char *word)
{
    size_t n_plain =
        strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:,@/-");

    buffer_append_byte(out, ' ');
    if (n_plain > 0 && word[n_plain] == '\0') {
        buffer_append(out, slice_of(word));
        return;
    }
    buffer_append_byte(out, '\'');
    for (; *word; word++)
        if (*word == '\'')
            buffer_append(out, SLICE_LITERAL("'\\''"));
        else
            buffer_append_byte(out, *word);
    buffer_append_byte(out, '\'');
}

/* "campaign release spring --user shop" of "campaign:shop/spring". */
static void append_campaign(struct buffer *out, const char *about)
{
    const char *slash = strchr(about, '/');
    char user[ORDER_SUBJECT_SIZE] = "*";

    append_word(out, slash ? slash + 1 : about);
    if (slash)
        slice_copy_to(slice_from(about, (size_t)(slash - about)), user, sizeof(user));
    if (strcmp(user, "*") == 0) {
        buffer_append(out, SLICE_LITERAL(" --all-users"));
    } else {
        buffer_append(out, SLICE_LITERAL(" --user"));
        append_word(out, user);
    }
}

/* What the command is about: "google" of "provider:google" where the command says the kind. */
static void append_subject(struct buffer *out, const struct why_view *view, const char *action)
{
    const char *colon = strchr(view->about, ':');
    char id[QUEUE_ID_SIZE];

    if (strncmp(action, "queue ", 6) == 0 && view->id) {
        queue_id_format(view->id, id);
        append_word(out, id);
    } else if (strncmp(action, "queue ", 6) == 0) {
        buffer_append(out, SLICE_LITERAL(" --dest"));
        append_word(out, view->site);
    } else if (strncmp(action, "destination ", 12) == 0 && view->about[0]) {
        append_word(out, view->about);
    } else if (strncmp(action, "campaign ", 9) == 0 && colon) {
        append_campaign(out, colon + 1);
    } else if (colon) {
        append_word(out, colon + 1);
    }
}

/* The one command that would change it: "destination resume provider:google". */
static json_t *action_json(const struct why_view *view)
{
    CLEANUP(buffer) struct buffer command = BUFFER_INIT;
    const char *action = why_action(view->kind);

    if (!action)
        return json_null();
    buffer_append(&command, slice_of(action));
    append_subject(&command, view, action);
    return buffer_error(&command) ? NULL : json_slice(buffer_slice(&command));
}

static json_t *view_json(const struct why_view *view)
{
    char id[QUEUE_ID_SIZE] = "";
    json_t *out;

    if (view->id)
        queue_id_format(view->id, id);
    out = json_pack("{s:o, s:i, s:s, s:s, s:s, s:s?, s:b, s:o, s:o, s:o}", "id",
                    view->id ? json_string(id) : json_null(), "n", (int)view->n, "state",
                    view->id ? entry_state_name(view->entry_state) : "", "why",
                    why_name(view->kind), "sentence", why_sentence(view->kind), "action",
                    why_action(view->kind), "doubtful", (int)view->is_doubtful, "until",
                    time_or_null(view->until_utc_ms), "site", json_slice(slice_of(view->site)),
                    "reason", json_slice(slice_of(view->reason)));
    json_object_set_new(out, "since", time_or_null(view->since_utc_ms));
    json_object_set_new(out, "last_delivery", time_or_null(view->last_utc_ms));
    json_object_set_new(out, "about",
                        view->about[0] ? json_slice(slice_of(view->about)) : json_null());
    json_object_set_new(out, "command", action_json(view));
    return out;
}

static void on_why(struct delivery_why *request)
{
    struct exchange *exchange = CONTAINER_OF(request, struct question, why)->exchange;
    const struct why_view *views = (const struct why_view *)(const void *)request->views.data;
    size_t n = request->views.len / sizeof(*views);
    json_t *items = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, view_json(&views[i]));
    buffer_fini(&request->views);
    if (n || !request->id) {
        exchange_answer_items(exchange, items, NULL);
        return;
    }
    json_decref(items);
    exchange_problem(exchange, 404, "not_found",
                     "No such message waits; finished mail is in the log.");
}

/* One of them is given. */
static void ask(struct exchange *exchange, uint64_t id, struct slice name)
{
    const struct operations *operations = exchange->webui->parts.operations;
    struct question *question = exchange_memory(exchange, sizeof(*question));

    if (!question)
        return;
    question->exchange = exchange;
    question->why.id = id;
    question->why.name = name;
    question->why.answer_to = exchange->webui->mailbox;
    question->why.done = on_why;
    if (!operations->why(operations->owner, &question->why))
        exchange_busy(exchange);
}

void api_message_why(struct exchange *exchange)
{
    uint64_t id;

    if (!queue_id_parse(exchange->argument, &id))
        exchange_problem(exchange, 422, "bad_id", "That is no queue id.");
    else
        ask(exchange, id, (struct slice){NULL, 0});
}

void api_destination_why(struct exchange *exchange)
{
    ask(exchange, 0, exchange->argument);
}

void api_queue_why(struct exchange *exchange)
{
    const char *text = exchange_query(exchange, "id");
    const char *domain = exchange_query(exchange, "domain");
    uint64_t id = 0;

    if (!text == !domain || (text && !queue_id_parse(slice_of(text), &id)))
        exchange_problem(exchange, 422, "bad_id", "Give the queue id, or the domain.");
    else
        ask(exchange, id, slice_of(domain));
}
