/* Signing domains and the public halves of their keys. */
#include <string.h>

#include "policy/registry_domains.h"
#include "webui/dkim_json.h"
#include "webui/registry_call.h"
#include "webui/routes.h"

static json_t *domain_json(const struct signing_domain *domain)
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

const struct signing_domain *api_find_domain(struct exchange *exchange, struct slice name)
{
    const struct directory *directory = exchange->webui->directory;
    const struct signing_domain *domain = directory ? directory_domain(directory, name) : NULL;

    if (!domain)
        exchange_problem(exchange, 404, "not_found", "There is no such domain; add it first.");
    return domain;
}

void api_domain_show(struct exchange *exchange)
{
    const struct signing_domain *domain = api_find_domain(exchange, exchange->argument);

    if (domain)
        exchange_answer(exchange, 200, domain_json(domain));
}

static void on_added(struct registry_request *request)
{
    struct exchange *exchange = registry_call_exchange(request);
    const struct domain_request *add = (const struct domain_request *)(const void *)request;
    const struct directory *directory = exchange->webui->directory;
    const struct signing_domain *domain;

    if (!registry_call_went_well(request))
        return;
    domain = directory ? directory_domain(directory, add->name) : NULL;
    exchange_answer(exchange, 201,
                    domain ? domain_json(domain)
                           : json_pack("{s:o}", "name", json_slice(add->name)));
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
    ask(exchange, exchange->argument, registry_call_done, registry_domain_options);
}

void api_domain_delete(struct exchange *exchange)
{
    ask(exchange, exchange->argument, registry_call_done, registry_domain_delete);
}
