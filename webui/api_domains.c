/* Signing domains and the public halves of their keys. */
#include <string.h>

#include "policy/registry_domains.h"
#include "relay/control/key_desk.h"
#include "relay/message/idn.h"
#include "webui/dkim_json.h"
#include "webui/registry_call.h"
#include "webui/routes.h"
#include "webui/state.h"

json_t *domain_json(const struct signing_domain *domain)
{
    json_t *keys = json_array();

    for (uint32_t i = 0; i < domain->n_keys; i++)
        json_array_append_new(keys, dkim_key_json(domain, &domain->keys[i]));
    return json_pack("{s:o, s:b, s:o, s:o}", "name", json_slice(domain->name), "requires_signing",
                     domain->requires_signing, "keys", keys, "created",
                     json_time(domain->created_utc_ms));
}

void api_domains_list(struct exchange *exchange)
{
    const struct directory *directory = exchange->webui->directory;
    json_t *items = json_array();

    for (uint32_t i = 0; directory && i < directory->n_domains; i++)
        json_array_append_new(items, domain_json(&directory->domains[i]));
    exchange_answer_items(exchange, items, NULL);
}

json_t *audit_domain(struct exchange *exchange, struct slice name)
{
    const struct directory *directory = exchange->webui->directory;
    const struct signing_domain *domain = NULL;
    char ascii[IDN_SIZE];

    if (directory && idn_to_ascii(name, ascii) == 0)
        domain = directory_domain(directory, slice_of(ascii));
    return domain ? domain_json(domain) : NULL;
}

const struct signing_domain *api_find_domain(struct exchange *exchange, struct slice name)
{
    const struct directory *directory = exchange->webui->directory;
    const struct signing_domain *domain = NULL;
    char ascii[IDN_SIZE];

    if (directory && idn_to_ascii(name, ascii) == 0)
        domain = directory_domain(directory, slice_of(ascii));
    if (!domain)
        exchange_problem(exchange, 404, "not_found", "There is no such domain; add it first.");
    return domain;
}

void api_domain_show(struct exchange *exchange)
{
    const struct signing_domain *domain = api_find_domain(exchange, exchange->argument);
    json_t *body = domain ? domain_json(domain) : NULL;

    if (!body)
        return;
    state_tag_answer(exchange, body);
    exchange_answer(exchange, 200, body);
}

static void on_added(struct registry_request *request)
{
    struct exchange *exchange = registry_call_exchange(request);
    const struct domain_request *add = (const struct domain_request *)(const void *)request;
    const struct signing_domain *domain;

    if (!registry_call_went_well(request))
        return;
    domain = api_find_domain(exchange, add->name);
    if (domain)
        exchange_answer(exchange, 201, domain_json(domain));
}

static void ask(struct exchange *exchange, struct slice name,
                void (*done)(struct registry_request *),
                bool (*verb)(struct registry *, struct domain_request *))
{
    struct domain_request *request = registry_call_memory(exchange, sizeof(*request));

    if (!request)
        return;
    registry_call_begin(exchange, &request->request, done);
    request->name = name;
    request->requires_signing = exchange_flag(exchange, "requires_signing");
    if (!verb(exchange->webui->parts.registry, request))
        exchange_busy(exchange);
}

void api_domains_add(struct exchange *exchange)
{
    const char *name = exchange_expect_text(exchange, "name");

    if (name)
        ask(exchange, slice_of(name), on_added, registry_domain_add);
}

void api_domain_options(struct exchange *exchange)
{
    if (json_object_get(exchange->body, "requires_signing"))
        ask(exchange, exchange->argument, registry_call_done, registry_domain_options);
    else
        exchange_problem(exchange, 422, "missing_field", "Give \"requires_signing\".");
}

/* ---- an end: the keys sign no more, the rows go, the private keys go (key_desk.h) ---- */

struct deletion {
    struct domain_request request; /* first member, as the registry wants it */
    struct key_order order;
    struct exchange *exchange;
    bool is_busy; /* the registry is */
};

static void order_keys(struct deletion *deletion, enum key_order_verb verb,
                       void (*done)(struct key_order *order))
{
    struct exchange *exchange = deletion->exchange;

    deletion->order.verb = verb;
    deletion->order.done = done;
    if (!key_desk_order(exchange->webui->parts.key_desk, &deletion->order))
        exchange_busy(exchange);
}

static void on_forgotten(struct key_order *order)
{
    struct exchange *exchange = CONTAINER_OF(order, struct deletion, order)->exchange;

    if (order->went_well)
        exchange_answer(exchange, 204, NULL);
    else
        exchange_problem(exchange, key_order_status(order->code), order->code,
                         "The domain is gone, but not all of its private keys.");
}

/* The rows stayed: why? */
static void on_kept(struct key_order *order)
{
    struct deletion *deletion = CONTAINER_OF(order, struct deletion, order);

    if (deletion->is_busy)
        exchange_busy(deletion->exchange);
    else
        registry_call_done(&deletion->request.request);
}

static void on_deleted(struct registry_request *request)
{
    struct deletion *deletion = (struct deletion *)(void *)request;

    if (deletion->order.n_selectors == 0)
        registry_call_done(request);
    else if (request->result == REGISTRY_OK)
        order_keys(deletion, KEY_ORDER_FORGET, on_forgotten);
    else
        order_keys(deletion, KEY_ORDER_KEEP, on_kept);
}

static void delete_rows(struct deletion *deletion)
{
    struct exchange *exchange = deletion->exchange;

    registry_call_begin(exchange, &deletion->request.request, on_deleted);
    if (registry_domain_delete(exchange->webui->parts.registry, &deletion->request))
        return;
    deletion->is_busy = true;
    if (deletion->order.n_selectors == 0)
        exchange_busy(exchange);
    else
        order_keys(deletion, KEY_ORDER_KEEP, on_kept);
}

static void on_retired(struct key_order *order)
{
    struct deletion *deletion = CONTAINER_OF(order, struct deletion, order);

    if (order->went_well)
        delete_rows(deletion);
    else
        exchange_problem(deletion->exchange, key_order_status(order->code), order->code,
                         "Its keys could not be taken out of use, so the domain stays.");
}

/* Copies: the snapshot goes with the rows. */
static bool list_selectors(struct exchange *exchange, const struct signing_domain *domain,
                           struct key_order *order)
{
    struct slice *selectors = exchange_memory(exchange, (domain->n_keys + 1) * sizeof(*selectors));

    if (!selectors)
        return false;
    for (uint32_t i = 0; i < domain->n_keys; i++)
        selectors[i] = arena_copy(&exchange->arena, domain->keys[i].selector);
    order->domain = arena_copy(&exchange->arena, domain->name);
    order->selectors = selectors;
    order->n_selectors = domain->n_keys;
    return true;
}

void api_domain_delete(struct exchange *exchange)
{
    const struct signing_domain *domain = api_find_domain(exchange, exchange->argument);
    struct deletion *deletion = domain ? registry_call_memory(exchange, sizeof(*deletion)) : NULL;

    if (!deletion || !list_selectors(exchange, domain, &deletion->order))
        return;
    if (domain->n_keys && !key_desk_is_up(exchange->webui->parts.key_desk)) {
        exchange_problem(exchange, 503, "signer_down",
                         "The signer does not answer, so its keys could not be deleted.");
        return;
    }
    deletion->exchange = exchange;
    deletion->order.answer_to = exchange->webui->mailbox;
    deletion->order.by = slice_of(exchange->by);
    deletion->request.name = deletion->order.domain;
    if (domain->n_keys)
        order_keys(deletion, KEY_ORDER_RETIRE, on_retired);
    else
        delete_rows(deletion);
}
