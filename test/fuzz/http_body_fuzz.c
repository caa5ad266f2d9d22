/* Any body of an order on the queue: it is refused with a problem, or it names what it means. */
#include "test/fuzz/fuzz.h"

#include "policy/registry_access.h"
#include "webui/routes.h"

static struct delivery_command *asked;

static bool take(void *owner, struct delivery_command *command)
{
    (void)owner;
    asked = command;
    return true;
}

static const struct operations operations = {.command = take};

/* The audit's row, kept by nobody: no database takes part here. */
bool __wrap_registry_audit(struct registry *registry, struct audit_request *request);
bool __wrap_registry_audit(struct registry *registry, struct audit_request *request)
{
    (void)registry;
    request->request.result = REGISTRY_OK;
    request->request.done(&request->request);
    return true;
}

static void promise_a_meaning(const struct selection *selection)
{
    PROMISE(selection->is_all || selection->n_ids || selection->user_id || selection->sender_hash ||
            selection->destination.len);
    for (size_t i = 1; i < selection->n_ids; i++)
        PROMISE(selection->ids[i - 1] <= selection->ids[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct webui webui = {.parts = {.operations = &operations}};
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    json_t *said;

    PROMISE(exchange);
    asked = NULL;
    exchange->webui = &webui;
    exchange->method = HTTP_POST;
    exchange->path = "/api/v1/queue:delete";
    exchange->is_local = true;
    arena_init(&exchange->arena, EXCHANGE_MEMORY);
    buffer_init(&exchange->upload, EXCHANGE_MAX_BODY);
    buffer_append(&exchange->upload, slice_from(data, size));
    if (exchange_read_body(exchange))
        routes_dispatch(exchange);
    PROMISE(!asked == (exchange->status >= 400));
    if (asked) {
        promise_a_meaning(&asked->selection);
        asked->done(asked);
    }
    said = json_loads(exchange->text, 0, NULL);
    PROMISE(json_is_object(said));
    json_decref(said);
    exchange_free(exchange);
    return 0;
}
