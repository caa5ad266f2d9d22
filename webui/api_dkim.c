/* DKIM keys: ordered at the key desk, shown with the records to publish, compared with DNS. */
#include <string.h>

#include "relay/base/list.h"
#include "relay/control/key_desk.h"
#include "signer/dns_record.h"
#include "webui/dkim_json.h"
#include "webui/routes.h"

/* ---- showing ---- */

static struct dkim_record record_of(struct slice domain, const struct domain_key *key)
{
    return (struct dkim_record){domain, key->selector,
                                key->type == DOMAIN_KEY_RSA ? DKIM_KEY_RSA : DKIM_KEY_ED25519,
                                key->public_key};
}

static json_t *printed(void (*print)(struct buffer *, const struct dkim_record *),
                       const struct dkim_record *record)
{
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;

    print(&text, record);
    return json_slice(buffer_slice(&text));
}

static void add_record(json_t *item, const struct dkim_record *record)
{
    json_object_set_new(item, "record_name", printed(dkim_record_print_name, record));
    json_object_set_new(item, "bind", printed(dkim_record_print_bind, record));
    json_object_set_new(item, "strings", printed(dkim_record_print_strings, record));
    json_object_set_new(item, "value", printed(dkim_record_print_value, record));
}

json_t *dkim_key_json(const struct signing_domain *domain, const struct domain_key *key)
{
    const struct dkim_record record = record_of(domain->name, key);
    json_t *item = json_pack("{s:o, s:o, s:s, s:b, s:b, s:o}", "domain", json_slice(domain->name),
                             "selector", json_slice(key->selector), "type",
                             domain_key_type_name(key->type), "active", key->is_active, "judged",
                             key->is_judged, "created", json_time(key->created_utc_ms));

    add_record(item, &record);
    return item;
}

void api_dkim_list(struct exchange *exchange)
{
    const struct directory *directory = exchange->webui->directory;
    json_t *items = json_array();

    for (uint32_t i = 0; directory && i < directory->n_domains; i++)
        for (uint32_t k = 0; k < directory->domains[i].n_keys; k++)
            json_array_append_new(
                items, dkim_key_json(&directory->domains[i], &directory->domains[i].keys[k]));
    exchange_answer_items(exchange, items, NULL);
}

void api_dkim_dns(struct exchange *exchange)
{
    const struct signing_domain *domain = api_find_domain(exchange, exchange->argument);
    const char *selector = exchange_query(exchange, "selector");
    json_t *items;

    if (!domain)
        return;
    items = json_array();
    for (uint32_t i = 0; i < domain->n_keys; i++)
        if (!selector || slice_equal_ignoring_case(domain->keys[i].selector, slice_of(selector)))
            json_array_append_new(items, dkim_key_json(domain, &domain->keys[i]));
    if (json_array_size(items) || !selector) {
        exchange_answer_items(exchange, items, NULL);
        return;
    }
    json_decref(items);
    exchange_problem(exchange, 404, "not_found", "The domain has no key of that selector.");
}

/* ---- a new key ---- */

struct new_key {
    struct key_order order;
    struct exchange *exchange;
};

static json_t *made_json(const struct key_made *made)
{
    const struct dkim_record record = {slice_of(made->name.domain), slice_of(made->name.selector),
                                       made->type, slice_of(made->public_half)};
    json_t *item = json_pack("{s:s, s:s, s:s, s:b, s:b}", "domain", made->name.domain, "selector",
                             made->name.selector, "type", dkim_key_type_name(made->type), "active",
                             made->is_active, "judged", 1);

    add_record(item, &record);
    return item;
}

unsigned key_order_status(const char *code)
{
    static const struct {
        const char *code;
        unsigned status;
    } rows[] = {
        {"exists",       409},
        {"not_found",    404},
        {"invalid_name", 422},
        {"key_refused",  422},
        {"not_judged",   409},
        {"signer_down",  503},
        {"busy",         503}
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].code, code) == 0)
            return rows[i].status;
    return 500;
}

static void on_made(struct key_order *order)
{
    struct exchange *exchange = CONTAINER_OF(order, struct new_key, order)->exchange;
    json_t *items;

    if (!order->went_well) {
        exchange_problem(exchange, key_order_status(order->code), order->code, order->sentence);
        return;
    }
    items = json_array();
    for (unsigned i = 0; i < order->n_made; i++)
        json_array_append_new(items, made_json(&order->made[i]));
    exchange_answer(exchange, 201, json_pack("{s:o, s:n}", "items", items, "next_cursor"));
}

/* "rsa2048", "ed25519" or "both" (also when not stated). */
static bool read_type(struct exchange *exchange, struct key_order *order)
{
    const char *type = exchange_text(exchange, "type");
    bool is_both = !type || strcmp(type, "both") == 0;

    order->wants_rsa = is_both || strcmp(type, "rsa2048") == 0;
    order->wants_ed25519 = is_both || strcmp(type, "ed25519") == 0;
    if (order->wants_rsa || order->wants_ed25519)
        return true;
    exchange_problem(exchange, 422, "bad_type", "The type is rsa2048, ed25519 or both.");
    return false;
}

void api_dkim_new(struct exchange *exchange)
{
    const char *domain = exchange_expect_text(exchange, "domain");
    const char *selector = domain ? exchange_expect_text(exchange, "selector") : NULL;
    const struct signing_domain *known =
        selector ? api_find_domain(exchange, slice_of(domain)) : NULL;
    struct new_key *key = known ? exchange_memory(exchange, sizeof(*key)) : NULL;

    if (!key || !read_type(exchange, &key->order))
        return;
    key->exchange = exchange;
    key->order.answer_to = exchange->webui->mailbox;
    key->order.done = on_made;
    key->order.domain = arena_copy(&exchange->arena, known->name);
    key->order.selector = slice_of(selector);
    key->order.by = slice_of(exchange->by);
    key->order.pem = slice_of(exchange_text(exchange, "pem"));
    if (!key_desk_order(exchange->webui->parts.key_desk, &key->order))
        exchange_busy(exchange);
}
