/* `domain check`: what DNS publishes for each key of a domain against the half that we hold. */
#include <string.h>

#include "policy/judge.h"
#include "relay/base/list.h"
#include "relay/control/key_desk.h"
#include "signer/dns_record.h"
#include "webui/dkim_json.h"
#include "webui/routes.h"

struct domain_check;

/* One key; the texts are copies, since the snapshot may go before DNS answers. */
struct key_check {
    struct txt_order order;
    struct domain_check *check;
    struct slice selector, public_half;
    enum domain_key_type type;
};

struct domain_check {
    struct exchange *exchange;
    struct key_check *keys;
    uint32_t n_keys, n_open;
};

/* A stable word.  Any of the published records may be the right one; reason says what is wrong
 * with the last. */
static const char *finding_of(const struct key_check *key, char reason[JUDGE_REASON_SIZE])
{
    struct slice texts = buffer_slice(&key->order.texts);

    if (key->order.status == DNS_TEMPORARY)
        return "dns_failed";
    if (key->order.status != DNS_OK || texts.len == 0)
        return "missing";
    while (texts.len) {
        ptrdiff_t end = slice_find(texts, '\n');
        size_t len = end < 0 ? texts.len : (size_t)end;

        if (judge_compare_record(slice_head(texts, len), domain_key_type_name(key->type),
                                 key->public_half, reason))
            return "ok";
        texts = slice_skip(texts, len + 1);
    }
    return "differs";
}

/* Each text that DNS has at the name, the strings of a record joined. */
static json_t *found_json(const struct key_check *key)
{
    return json_split(buffer_slice(&key->order.texts), '\n');
}

static json_t *key_json(const struct key_check *key, bool *is_good)
{
    char reason[JUDGE_REASON_SIZE] = "";
    const char *finding = finding_of(key, reason);
    bool is_ok = strcmp(finding, "ok") == 0;

    *is_good = *is_good && is_ok;
    return json_pack("{s:o, s:s, s:s, s:s, s:b, s:o, s:o}", "selector", json_slice(key->selector),
                     "type", domain_key_type_name(key->type), "record_name", key->order.name,
                     "finding", finding, "ok", is_ok, "why",
                     json_slice(slice_of(is_ok     ? ""
                                         : *reason ? reason
                                                   : key->order.why)),
                     "found", found_json(key));
}

static void answer(struct domain_check *check)
{
    json_t *items = json_array();
    bool is_good = check->n_keys > 0;

    for (uint32_t i = 0; i < check->n_keys; i++) {
        json_array_append_new(items, key_json(&check->keys[i], &is_good));
        buffer_fini(&check->keys[i].order.texts);
    }
    exchange_answer(check->exchange, 200,
                    json_pack("{s:o, s:b, s:n}", "items", items, "ok", is_good, "next_cursor"));
}

static void on_txt(struct txt_order *order)
{
    struct domain_check *check = CONTAINER_OF(order, struct key_check, order)->check;

    if (--check->n_open == 0)
        answer(check);
}

static void ask(struct domain_check *check, struct key_check *key, struct slice domain)
{
    const struct dkim_record record = {domain, key->selector, DKIM_KEY_RSA, key->public_half};
    CLEANUP(buffer) struct buffer name = BUFFER_INIT;

    dkim_record_print_name(&name, &record);
    slice_copy_to(buffer_slice(&name), key->order.name, sizeof(key->order.name));
    key->order.answer_to = check->exchange->webui->mailbox;
    key->order.done = on_txt;
    if (key_desk_ask_txt(check->exchange->webui->parts.key_desk, &key->order))
        return;
    key->order.status = DNS_TEMPORARY;
    slice_copy_to(SLICE_LITERAL("the service is too busy"), key->order.why, sizeof(key->order.why));
    check->n_open--;
}

static struct domain_check *prepare(struct exchange *exchange, const struct signing_domain *domain)
{
    struct domain_check *check = exchange_memory(exchange, sizeof(*check));

    if (!check)
        return NULL;
    check->exchange = exchange;
    check->keys = exchange_memory(exchange, (domain->n_keys + 1) * sizeof(*check->keys));
    if (!check->keys)
        return NULL;
    for (uint32_t i = 0; i < domain->n_keys; i++) {
        struct key_check *key = &check->keys[i];

        key->check = check;
        key->selector = arena_copy(&exchange->arena, domain->keys[i].selector);
        key->public_half = arena_copy(&exchange->arena, domain->keys[i].public_key);
        key->type = domain->keys[i].type;
    }
    check->n_keys = domain->n_keys;
    check->n_open = domain->n_keys + 1; /* one is ours, until all are asked */
    return check;
}

void api_domain_check(struct exchange *exchange)
{
    const struct signing_domain *domain = api_find_domain(exchange, exchange->argument);
    struct domain_check *check = domain ? prepare(exchange, domain) : NULL;

    if (!check)
        return;
    for (uint32_t i = 0; i < check->n_keys; i++)
        ask(check, &check->keys[i], domain->name);
    if (--check->n_open == 0)
        answer(check);
}
