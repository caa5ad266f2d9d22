#include <stdio.h>

#include "relay/base/secret.h"
#include "relay/net/resolver.h"

static void shuffle(struct ip_address *addresses, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        uint32_t chance;
        struct ip_address swapped = addresses[i - 1];

        random_bytes(&chance, sizeof(chance));
        addresses[i - 1] = addresses[chance % i];
        addresses[chance % i] = swapped;
    }
}

/* Up to most addresses out of however many, each as likely as the others. */
static size_t collect(struct dns_query *answer, struct ip_address *out, size_t most)
{
    struct dns_record record;
    size_t n_seen = 0;

    while (dns_message_next_of(&answer->answer, answer->canonical, &record)) {
        uint32_t chance;

        random_bytes(&chance, sizeof(chance));
        n_seen++;
        if (n_seen <= most)
            out[n_seen - 1] = record.address;
        else if (chance % n_seen < most)
            out[chance % n_seen] = record.address;
    }
    n_seen = n_seen < most ? n_seen : most;
    shuffle(out, n_seen);
    return n_seen;
}

/* v6 goes in front, whichever answer came first. */
static void add_addresses(struct host_query *query, struct dns_query *answer)
{
    size_t most = query->wants_v6 ? HOST_MAX_ADDRESSES / 2 : HOST_MAX_ADDRESSES;
    struct ip_address found[HOST_MAX_ADDRESSES];
    size_t n = collect(answer, found, most);

    if (answer == &query->v6) {
        memmove(query->addresses + n, query->addresses,
                query->n_addresses * sizeof(query->addresses[0]));
        memcpy(query->addresses, found, n * sizeof(found[0]));
    } else {
        memcpy(query->addresses + query->n_addresses, found, n * sizeof(found[0]));
    }
    query->n_addresses += n;
}

static void decide(struct host_query *query)
{
    bool is_temporary =
        query->v4.status == DNS_TEMPORARY || (query->wants_v6 && query->v6.status == DNS_TEMPORARY);

    if (query->n_addresses)
        query->status = DNS_OK;
    else if (is_temporary)
        query->status = DNS_TEMPORARY;
    else
        query->status = query->v4.status;
    if (query->status == DNS_OK)
        query->why[0] = '\0';
    else if (query->status == DNS_NO_DATA)
        snprintf(query->why, sizeof(query->why), "the host has no address");
    else
        memcpy(query->why, query->v4.status == query->status ? query->v4.why : query->v6.why,
               sizeof(query->why));
}

static void on_answer(struct host_query *query, struct dns_query *answer)
{
    query->is_secure = query->is_secure && answer->is_secure;
    if (answer->ttl < query->ttl)
        query->ttl = answer->ttl;
    if (answer->status == DNS_OK)
        add_addresses(query, answer);
    if (--query->n_waiting > 0)
        return;
    decide(query);
    query->done(query);
}

static void on_v4(struct dns_query *answer)
{
    on_answer(CONTAINER_OF(answer, struct host_query, v4), answer);
}

static void on_v6(struct dns_query *answer)
{
    on_answer(CONTAINER_OF(answer, struct host_query, v6), answer);
}

static void on_literal(struct later *later)
{
    struct host_query *query = CONTAINER_OF(later, struct host_query, later);

    query->done(query);
}

static void ask(struct resolver *resolver, struct host_query *query, struct dns_query *question,
                uint16_t type, void (*done)(struct dns_query *))
{
    question->type = type;
    question->done = done;
    memcpy(question->name, query->name, DNS_NAME_SIZE);
    query->n_waiting++;
    dns_ask(resolver, question);
}

void host_lookup(struct resolver *resolver, struct host_query *query)
{
    query->status = DNS_OK;
    query->is_secure = true;
    query->ttl = UINT32_MAX;
    query->n_addresses = query->n_waiting = 0;
    query->why[0] = '\0';
    if (ip_parse(slice_of(query->name), &query->addresses[0])) {
        query->n_addresses = 1;
        query->is_secure = false;
        later_init(&query->later, resolver_loop(resolver), on_literal);
        later_set(&query->later);
        return;
    }
    if (query->wants_v6)
        ask(resolver, query, &query->v6, DNS_TYPE_AAAA, on_v6);
    ask(resolver, query, &query->v4, DNS_TYPE_A, on_v4);
}

void host_cancel(struct host_query *query)
{
    later_cancel(&query->later);
    dns_cancel(&query->v6);
    dns_cancel(&query->v4);
}
