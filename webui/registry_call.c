#include "webui/registry_call.h"

/* Every request that an exchange sends stands behind this, in the exchange's arena. */
struct call_header {
    struct exchange *exchange;
    _Alignas(16) char request[];
};

void *registry_call_memory(struct exchange *exchange, size_t bytes)
{
    struct call_header *header = exchange_memory(exchange, sizeof(*header) + bytes);

    if (!header)
        return NULL;
    header->exchange = exchange;
    return header->request;
}

void registry_call_begin(struct exchange *exchange, struct registry_request *request,
                         void (*done)(struct registry_request *request))
{
    request->answer_to = exchange->webui->mailbox;
    request->done = done;
    request->by = slice_of(exchange->by);
}

struct exchange *registry_call_exchange(const struct registry_request *request)
{
    const char *bytes = (const char *)request - offsetof(struct call_header, request);

    return ((const struct call_header *)(const void *)bytes)->exchange;
}

static unsigned status_of(enum registry_result result)
{
    switch (result) {
    case REGISTRY_OK:
        return 200;
    case REGISTRY_NOT_FOUND:
        return 404;
    case REGISTRY_EXISTS:
    case REGISTRY_NOT_JUDGED:
    case REGISTRY_LAST_OWNER:
    case REGISTRY_SUSPENDED:
        return 409;
    case REGISTRY_INVALID_NAME:
    case REGISTRY_INVALID_SENDER:
    case REGISTRY_NEEDS_SENDER:
    case REGISTRY_INVALID_NETWORK:
    case REGISTRY_WEAK_PASSWORD:
    case REGISTRY_INVALID_HASH:
    case REGISTRY_INVALID_VALUE:
        return 422;
    case REGISTRY_FAILED:
    case N_REGISTRY_RESULTS:
        break;
    }
    return 500;
}

bool registry_call_went_well(struct registry_request *request)
{
    if (request->result == REGISTRY_OK)
        return true;
    exchange_problem(registry_call_exchange(request), status_of(request->result),
                     registry_result_name(request->result), request->sentence);
    return false;
}

void registry_call_done(struct registry_request *request)
{
    if (registry_call_went_well(request))
        exchange_answer(registry_call_exchange(request), 204, NULL);
}
