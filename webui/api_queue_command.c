/* Orders on what waits, how much of it there is, and why it waits: asked of the loops. */
#include <stdlib.h>
#include <string.h>

#include "relay/base/event.h"
#include "relay/base/list.h"
#include "webui/exchange_ids.h"
#include "webui/guard.h"
#include "webui/queue_json.h"
#include "webui/routes.h"

struct command {
    struct delivery_command command;
    struct exchange *exchange;
    const char *verb;
    bool is_dry_run;
};

static const struct {
    const char *name;
    enum delivery_verb verb;
} verbs[] = {
    {"retry",   DELIVERY_RETRY  },
    {"hold",    DELIVERY_HOLD   },
    {"release", DELIVERY_RELEASE},
    {"requeue", DELIVERY_REQUEUE},
    {"bounce",  DELIVERY_BOUNCE },
    {"delete",  DELIVERY_DELETE },
};

static void on_done(struct delivery_command *request)
{
    struct command *command = CONTAINER_OF(request, struct command, command);

    if (!command->is_dry_run && request->n_selected)
        EVENT(EVENT_QUEUE_COMMAND, field_text("verb", command->verb),
              field_number("nrcpt", (int64_t)request->n_selected),
              field_text("by", command->exchange->by), field_text("reason", request->reason));
    exchange_answer(command->exchange, 200,
                    json_pack("{s:I, s:I, s:o, s:b}", "selected", (json_int_t)request->n_selected,
                              "busy", (json_int_t)request->n_busy, "by_state",
                              queue_states_json(request), "dry_run", command->is_dry_run));
}

static bool refuse(struct exchange *exchange, const char *code, const char *detail)
{
    exchange_problem(exchange, 422, code, detail);
    return false;
}

static bool read_ids(struct exchange *exchange, struct selection *selection)
{
    return !json_object_get(exchange->body, "ids") ||
           exchange_ids(exchange, &selection->ids, &selection->n_ids);
}

/* Memory knows senders by the hash of the whole address; empty: reports, which have none. */
static bool read_sender(struct exchange *exchange, struct selection *selection)
{
    struct slice from = slice_of(exchange_text(exchange, "from"));

    if (!from.data)
        return true;
    if (from.len && slice_find(from, '@') < 0)
        return refuse(exchange, "bad_from", "\"from\" is a whole address.");
    selection->sender_hash = stored_hash(from);
    return selection->sender_hash ||
           refuse(exchange, "bad_from", "This sender cannot be selected by its address.");
}

static bool read_user(struct exchange *exchange, struct selection *selection)
{
    const char *name = exchange_text(exchange, "user");
    const struct directory *directory = exchange->webui->directory;
    const struct user *user = name && directory ? directory_user(directory, slice_of(name)) : NULL;

    if (name && !user) {
        exchange_problem(exchange, 404, "not_found", "There is no such user.");
        return false;
    }
    selection->user_id = user ? user->id : 0;
    return true;
}

/* ids, dest, user, from, campaign, or all: at least one, so that an empty body orders nothing. */
static bool read_selection(struct exchange *exchange, struct selection *selection)
{
    const char *campaign = exchange_text(exchange, "campaign");

    if (!read_ids(exchange, selection) || !read_user(exchange, selection) ||
        !read_sender(exchange, selection))
        return false;
    selection->destination = slice_of(exchange_text(exchange, "dest"));
    selection->campaign = campaign ? stored_hash(slice_of(campaign)) : 0;
    selection->is_all = exchange_flag(exchange, "all");
    if (campaign && !selection->user_id && !selection->is_all)
        return refuse(exchange, "whose_campaign",
                      "A campaign is one user's: name user, or all for everybody's.");
    return selection->n_ids || selection->user_id || selection->destination.len ||
           selection->sender_hash || selection->campaign || selection->is_all ||
           refuse(exchange, "nothing_selected", "Name ids, dest, user, from, campaign, or all.");
}

static void ask(struct exchange *exchange, struct command *command)
{
    const struct operations *operations = exchange->webui->parts.operations;

    command->exchange = exchange;
    command->command.answer_to = exchange->webui->mailbox;
    command->command.done = on_done;
    if (!operations->command(operations->owner, &command->command))
        exchange_busy(exchange);
}

/* What ends mail by a word and not by ids wants a recent password. */
static bool ends_many(const struct command *command)
{
    return !command->command.selection.n_ids &&
           (command->command.verb == DELIVERY_DELETE || command->command.verb == DELIVERY_BOUNCE);
}

void api_queue_command(struct exchange *exchange)
{
    struct command *command = exchange_memory(exchange, sizeof(*command));
    const char *reason = exchange_text(exchange, "reason");

    if (!command || !read_selection(exchange, &command->command.selection))
        return;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (slice_equal(slice_of(verbs[i].name), exchange->argument)) {
            command->verb = verbs[i].name;
            command->command.verb = verbs[i].verb;
        }
    if (!command->verb) {
        exchange_problem(exchange, 404, "no_such_path", "There is no such order.");
        return;
    }
    command->is_dry_run = exchange_flag(exchange, "dry_run");
    if (command->is_dry_run)
        command->command.verb = DELIVERY_COUNT;
    else if (ends_many(command) && !guard_confirmed(exchange))
        return;
    command->command.reason = reason ? reason : "by the operator";
    ask(exchange, command);
}
