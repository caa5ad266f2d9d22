/* Addresses that may send without a password; each belongs to a user. */
#include "policy/registry_users.h"
#include "webui/registry_call.h"
#include "webui/routes.h"

static json_t *rule_json(const struct directory *directory, const struct network_rule *rule)
{
    const struct user *user = directory_user_by_id(directory, rule->user_id);
    char text[SOCKET_TEXT_SIZE];

    return json_pack("{s:s, s:o}", "network", network_print(&rule->network, text), "user",
                     user ? json_slice(user->name) : json_null());
}

void api_networks_list(struct exchange *exchange)
{
    const struct directory *directory = exchange->webui->directory;
    json_t *items = json_array();

    for (uint32_t i = 0; directory && i < directory->n_networks; i++)
        json_array_append_new(items, rule_json(directory, &directory->networks[i]));
    exchange_answer_items(exchange, items, NULL);
}

json_t *audit_network(struct exchange *exchange, struct slice name)
{
    const struct directory *directory = exchange->webui->directory;
    struct network wanted;

    if (!network_parse(name, &wanted))
        return NULL;
    for (uint32_t i = 0; directory && i < directory->n_networks; i++) {
        const struct network *network = &directory->networks[i].network;

        if (ip_equal(network->first, wanted.first) && network->prefix_bits == wanted.prefix_bits)
            return rule_json(directory, &directory->networks[i]);
    }
    return NULL;
}

static void on_added(struct registry_request *request)
{
    const struct network_request *add = (const struct network_request *)(const void *)request;

    if (registry_call_went_well(request))
        exchange_answer(registry_call_exchange(request), 201,
                        json_pack("{s:o, s:o}", "network", json_slice(add->cidr), "user",
                                  json_slice(add->user)));
}

void api_networks_add(struct exchange *exchange)
{
    const char *cidr = exchange_expect_text(exchange, "network");
    const char *user = cidr ? exchange_expect_text(exchange, "user") : NULL;
    struct network_request *request =
        user ? registry_call_memory(exchange, sizeof(*request)) : NULL;

    if (!request)
        return;
    registry_call_begin(exchange, &request->request, on_added);
    request->cidr = slice_of(cidr);
    request->user = slice_of(user);
    if (!registry_network_add(exchange->webui->parts.registry, request))
        exchange_busy(exchange);
}

void api_networks_delete(struct exchange *exchange)
{
    struct network_request *request = registry_call_memory(exchange, sizeof(*request));

    if (!request)
        return;
    registry_call_begin(exchange, &request->request, registry_call_done);
    request->cidr = exchange->argument;
    if (!registry_network_delete(exchange->webui->parts.registry, request))
        exchange_busy(exchange);
}
