/* A mail host's addresses, the name of ours, what limits say, and the next one to connect to: as
 * connection_open.c goes, each step told. */
#include <stdio.h>

#include "relay/delivery/path_test.h"
#include "relay/schedule/bound.h"
#include "relay/schedule/site.h"

enum { MOST_TRIES = 5 };

const char *path_host_name(const struct path_test *test)
{
    return test->plan.hosts[test->order[test->order_at]].name;
}

struct slice path_ehlo_name(const struct path_test *test)
{
    struct slice own = test->config->egress.addresses[test->number].hostname;

    return own.len ? own : test->config->hostname;
}

void path_cancel_questions(struct path_test *test)
{
    if (test->asks_mx)
        mx_cancel(&test->mx);
    if (test->asks_host)
        host_cancel(&test->host);
    if (test->asks_name)
        name_check_cancel(&test->check);
    test->asks_mx = test->asks_host = test->asks_name = false;
    test->wait_ends_ms = 0;
}

/* ---- the host's addresses ---- */

static void next_host(struct path_test *test)
{
    test->order_at++;
    test->n_addresses = test->address_at = 0;
}

static void tell_addresses(struct path_test *test)
{
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;
    char one[IP_TEXT_SIZE];

    for (size_t i = 0; i < test->n_addresses; i++)
        buffer_printf(&text, "%s%s", i ? ", " : "", ip_print(test->addresses[i], one));
    buffer_append_byte(&text, '\0');
    PATH_TELL(test, PATH_ADDRESS_FOUND, path_host_name(test), text.failed ? "" : text.data);
}

static void on_addresses(struct host_query *query)
{
    struct path_test *test = CONTAINER_OF(query, struct path_test, host);

    test->asks_host = false;
    test->n_addresses = query->status == DNS_OK ? query->n_addresses : 0;
    memcpy(test->addresses, query->addresses, sizeof(test->addresses));
    test->address_at = 0;
    if (test->n_addresses) {
        tell_addresses(test);
    } else {
        PATH_TELL(test, PATH_ADDRESS_NONE, path_host_name(test),
                  query->why[0]     ? query->why
                  : query->wants_v6 ? "it has no address"
                                    : "it has no IPv4 address");
        next_host(test);
    }
    path_later(test, path_try_host);
}

static void look_up(struct path_test *test)
{
    test->host = (struct host_query){
        .done = on_addresses,
        .wants_v6 = egress_takes_v6(&test->delivery->egress[test->number], test->shard->config),
    };
    snprintf(test->host.name, sizeof(test->host.name), "%s", path_host_name(test));
    test->asks_host = true;
    host_lookup(test->shard->resolver, &test->host);
}

/* ---- the name of our address ---- */

static void on_name(struct name_check *check)
{
    struct path_test *test = CONTAINER_OF(check, struct path_test, check);
    CLEANUP(free) char *ehlo = slice_to_string(path_ehlo_name(test));
    bool is_same = ehlo && slice_equal_ignoring_case(slice_of(check->name), slice_of(ehlo));
    char text[IP_TEXT_SIZE];

    test->asks_name = false;
    ip_print(check->address, text);
    switch (check->verdict) {
    case NAME_CONFIRMED:
        PATH_TELL(test, is_same ? PATH_NAME_GOOD : PATH_NAME_OTHER, text, check->name, ehlo);
        break;
    case NAME_MISSING:
        PATH_TELL(test, PATH_NAME_MISSING, text, ehlo);
        break;
    case NAME_UNCONFIRMED:
        PATH_TELL(test, PATH_NAME_UNCONFIRMED, text, check->name, ehlo);
        break;
    case NAME_UNKNOWN:
        PATH_TELL(test, PATH_NAME_NO_ANSWER, text);
        break;
    }
    path_later(test, test->local.family ? path_end_one : path_try_host);
}

/* False: there is nothing to be asked. */
static bool ask_name(struct path_test *test, struct ip_address own)
{
    char text[IP_TEXT_SIZE];

    if (test->is_named)
        return false;
    test->is_named = true;
    if (ip_is_special(own) && delivery_config_address(test->config, own) != ADDRESS_ALLOWED) {
        PATH_TELL(test, PATH_NAME_PRIVATE, ip_print(own, text));
        return false;
    }
    test->check = (struct name_check){.done = on_name, .address = own};
    test->asks_name = true;
    name_check_start(&test->check, test->shard->resolver);
    return true;
}

bool path_name_left(struct path_test *test)
{
    return test->local.family && ask_name(test, test->local);
}

/* ---- limits ---- */

static void tell_why(struct path_test *test, enum path_word word, struct why why)
{
    CLEANUP(free) char *reason = strdup(why.reason ? why.reason : "");

    PATH_TELL(test, word, why_sentence(why.kind), reason);
}

/* What stops its mail now does not stop the test, and is told. */
static void tell_stop(struct path_test *test, const struct lane *lane, int64_t now_ms)
{
    struct bound *bounds[N_BOUND_KINDS];
    unsigned n = lane_bounds(lane, bounds);

    test->told_stop = true;
    for (unsigned i = 0; i < n; i++) {
        struct why why = bound_rests(bounds[i], now_ms);

        if (why.kind != WHY_NEXT) {
            tell_why(test, PATH_PACE_SUSPENDED, why);
            return;
        }
    }
    if (lane->site->reachable_ms > now_ms)
        tell_why(test, PATH_PACE_SUSPENDED,
                 (struct why){.kind = WHY_UNREACHABLE, .reason = lane->site->trouble});
}

/* True: the connection is counted, where every other one is.  Else asked again soon. */
static bool may_begin(struct path_test *test)
{
    int64_t now_ms = shard_now_ms(test->shard);
    struct site *site = path_site(test);
    struct lane *lane = site ? site_lane(site, test->number) : NULL;
    struct why why;

    if (!site)
        return false;
    if (!lane) {
        PATH_TELL(test, PATH_NO_MEMORY, NULL);
        path_end(test);
        return false;
    }
    if (!test->told_stop)
        tell_stop(test, lane, now_ms);
    why = lane_begin_test(lane, now_ms);
    if (why.kind == WHY_NEXT) {
        test->lane = lane;
        test->is_counted = test->has_turn = true;
        test->wait_ends_ms = 0;
        PATH_TELL(test, PATH_PACE_FREE, NULL);
        return true;
    }
    if (!test->wait_ends_ms) {
        test->wait_ends_ms = now_ms + PATH_TURN_MS;
    } else if (now_ms > test->wait_ends_ms) {
        tell_why(test, PATH_PACE_NOT_NOW, why);
        path_end_one(test);
    }
    return false;
}

void path_release(struct path_test *test)
{
    if (!test->is_counted)
        return;
    test->is_counted = false;
    if (!test->took_message_turn)
        lane_drop_turn(test->lane, CLASS_TRANSACTIONAL);
    lane_transaction_ended(test->lane, CLASS_TRANSACTIONAL, false);
    lane_closed(test->lane, test->is_greeted, shard_now_ms(test->shard));
    test->took_message_turn = test->is_greeted = false;
    delivery_shard_touch(test->shard);
}

/* Every host but the first takes a turn of the connections' pace, as delivery's do. */
static bool has_turn(struct path_test *test)
{
    int64_t now_ms = shard_now_ms(test->shard), at_ms;

    if (test->has_turn)
        return true;
    at_ms = lane_next_host(test->lane, CLASS_TRANSACTIONAL, now_ms, now_ms + PATH_LONGEST_TURN_MS);
    if (at_ms > now_ms + PATH_LONGEST_TURN_MS) {
        tell_why(test, PATH_PACE_NOT_NOW, WHY_SIMPLY(WHY_CONNECTION_PACE));
        path_end_one(test);
        return false;
    }
    test->has_turn = true;
    if (at_ms > now_ms)
        timer_set(&test->turn, at_ms - now_ms);
    return at_ms <= now_ms;
}

/* ---- one address ---- */

static bool is_allowed(struct path_test *test, struct ip_address address)
{
    enum address_verdict verdict = ADDRESS_ALLOWED;
    char text[IP_TEXT_SIZE];

    if (test->plan.policy.kind != TARGET_ROUTE || test->is_ordered)
        verdict = delivery_config_address(test->config, address);
    if (verdict == ADDRESS_ALLOWED)
        return true;
    PATH_TELL(test,
              verdict == ADDRESS_OWN ? PATH_ADDRESS_OURS
              : test->is_ordered     ? PATH_ADDRESS_HOP_NOT_PUBLIC
                                     : PATH_ADDRESS_NOT_PUBLIC,
              path_host_name(test), ip_print(address, text));
    if (verdict == ADDRESS_OWN) { /* and all behind it lead back to us (RFC 5321 5.1) */
        test->n_order = test->order_at + 1;
        test->address_at = test->n_addresses;
    }
    return false;
}

/* False: this address will not do. */
static bool try_address(struct path_test *test)
{
    struct ip_address address = test->addresses[test->address_at], own = {.family = 0};
    bool has_own = egress_table_bind(&test->config->egress, test->number, address.family, &own);
    struct address_pair pair = {.remote = socket_address_of(address, test->plan.policy.port)};
    char text[IP_TEXT_SIZE];

    if (test->number && !has_own) {
        PATH_TELL(test, PATH_ADDRESS_OTHER_FAMILY, path_host_name(test), ip_print(address, text));
        return false;
    }
    if (!is_allowed(test, address))
        return false;
    if ((has_own && ask_name(test, own)) || (!test->is_counted && !may_begin(test)) ||
        !has_turn(test))
        return true;
    if (has_own)
        pair.local = socket_address_of(own, 0);
    test->n_tries++;
    test->has_turn = false;
    path_connect(test, &pair);
    return true;
}

void path_try_host(struct path_test *test)
{
    while (test->n_tries < MOST_TRIES && test->order_at < test->n_order) {
        if (test->n_addresses == 0) {
            look_up(test);
            return;
        }
        if (test->address_at >= test->n_addresses)
            next_host(test);
        else if (try_address(test))
            return;
        else
            test->address_at++;
    }
    PATH_TELL(test, PATH_UNREACHED, NULL);
    path_end_one(test);
}
