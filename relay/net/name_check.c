#include "relay/net/name_check.h"

#include <stdio.h>
#include <string.h>

static void ask_name(struct name_check *check);

void name_check_reverse(struct ip_address address, char out[DNS_NAME_SIZE])
{
    const uint8_t *bytes = address.bytes;
    char *at = out;

    if (address.family == AF_INET) {
        snprintf(out, DNS_NAME_SIZE, "%u.%u.%u.%u.in-addr.arpa", bytes[3], bytes[2], bytes[1],
                 bytes[0]);
        return;
    }
    for (int i = 15; i >= 0; i--)
        at += snprintf(at, (size_t)(out + DNS_NAME_SIZE - at), "%x.%x.", bytes[i] & 15U,
                       bytes[i] >> 4U);
    snprintf(at, (size_t)(out + DNS_NAME_SIZE - at), "ip6.arpa");
}

static void end(struct name_check *check, enum name_verdict verdict)
{
    check->verdict = verdict;
    check->done(check);
}

static bool leads_back(struct name_check *check)
{
    struct dns_record record;

    while (dns_message_next_of(&check->query.answer, check->query.canonical, &record))
        if (ip_equal(record.address, check->address))
            return true;
    return false;
}

static void on_addresses(struct dns_query *query)
{
    struct name_check *check = CONTAINER_OF(query, struct name_check, query);

    if (query->status == DNS_TEMPORARY)
        check->is_unsure = true;
    if (query->status == DNS_OK && leads_back(check)) {
        end(check, NAME_CONFIRMED);
        return;
    }
    check->at++;
    ask_name(check);
}

static void ask(struct name_check *check, const char *name, uint16_t type,
                void (*done)(struct dns_query *query))
{
    check->query = (struct dns_query){.done = done, .type = type};
    snprintf(check->query.name, sizeof(check->query.name), "%s", name);
    dns_ask(check->resolver, &check->query);
}

static void ask_name(struct name_check *check)
{
    if (check->at == check->n_names) {
        end(check, check->is_unsure ? NAME_UNKNOWN : NAME_UNCONFIRMED);
        return;
    }
    memcpy(check->name, check->names[check->at], sizeof(check->name));
    ask(check, check->name, check->address.family == AF_INET ? DNS_TYPE_A : DNS_TYPE_AAAA,
        on_addresses);
}

static void on_names(struct dns_query *query)
{
    struct name_check *check = CONTAINER_OF(query, struct name_check, query);
    struct dns_record record;

    while (query->status == DNS_OK && check->n_names < NAME_CHECK_NAMES &&
           dns_message_next_of(&query->answer, query->canonical, &record))
        memcpy(check->names[check->n_names++], record.target, sizeof(check->names[0]));
    if (query->status == DNS_TEMPORARY)
        end(check, NAME_UNKNOWN);
    else if (check->n_names == 0)
        end(check, NAME_MISSING);
    else
        ask_name(check);
}

void name_check_start(struct name_check *check, struct resolver *resolver)
{
    char reverse[DNS_NAME_SIZE];

    check->resolver = resolver;
    check->n_names = check->at = 0;
    check->is_unsure = false;
    check->name[0] = '\0';
    name_check_reverse(check->address, reverse);
    ask(check, reverse, DNS_TYPE_PTR, on_names);
}

void name_check_cancel(struct name_check *check)
{
    if (check->resolver)
        dns_cancel(&check->query);
}
