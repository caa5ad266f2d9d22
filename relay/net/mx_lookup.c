#include <stdio.h>

#include "relay/base/secret.h"
#include "relay/net/resolver.h"

/* Where a host stands, lowest first: by preference, and at random among equals (RFC 5321 5.1). */
static uint64_t rank_of(uint16_t preference)
{
    uint32_t chance;

    random_bytes(&chance, sizeof(chance));
    return (uint64_t)preference << 32 | chance;
}

/* Keeps the MX_MAX_HOSTS lowest ranks, sorted; ranks[i] belongs to hosts[i]. */
static void insert(struct mx_query *query, uint64_t *ranks, const struct dns_record *record)
{
    uint64_t key = rank_of(record->mx.preference);
    size_t at = query->n_hosts;

    if (at == MX_MAX_HOSTS && key >= ranks[at - 1])
        return;
    if (at == MX_MAX_HOSTS)
        at--;
    else
        query->n_hosts++;
    for (; at > 0 && ranks[at - 1] > key; at--) {
        ranks[at] = ranks[at - 1];
        query->hosts[at] = query->hosts[at - 1];
    }
    ranks[at] = key;
    query->hosts[at].preference = record->mx.preference;
    memcpy(query->hosts[at].name, record->mx.host, DNS_NAME_SIZE);
}

static bool is_named_already(const struct mx_query *query, const char *host)
{
    for (size_t i = 0; i < query->n_hosts; i++)
        if (dns_name_equal(query->hosts[i].name, host))
            return true;
    return false;
}

static void collect(struct mx_query *query)
{
    uint64_t ranks[MX_MAX_HOSTS] = {0};
    struct dns_record record;
    size_t n_records = 0, n_null = 0;

    while (dns_message_next_of(&query->question.answer, query->question.canonical, &record)) {
        n_records++;
        if (strcmp(record.mx.host, ".") == 0)
            n_null++;
        else if (record.mx.host[0] && !is_named_already(query, record.mx.host))
            insert(query, ranks, &record);
    }
    if (query->n_hosts) {
        query->status = MX_OK;
    } else if (n_null && n_null == n_records) {
        query->status = MX_NULL;
        snprintf(query->why, sizeof(query->why), "the domain takes no mail (null MX)");
    } else {
        query->status = MX_UNUSABLE;
        snprintf(query->why, sizeof(query->why), "the domain's MX records name no usable host");
    }
}

static void use_domain_itself(struct mx_query *query)
{
    query->status = MX_OK;
    query->is_implicit = true;
    query->n_hosts = 1;
    query->hosts[0].preference = 0;
    memcpy(query->hosts[0].name, query->question.canonical, DNS_NAME_SIZE);
}

static void on_answer(struct dns_query *question)
{
    struct mx_query *query = CONTAINER_OF(question, struct mx_query, question);

    query->is_secure = question->is_secure;
    query->ttl = question->ttl;
    memcpy(query->why, question->why, sizeof(query->why));
    switch (question->status) {
    case DNS_OK:
        collect(query);
        break;
    case DNS_NO_DATA:
        use_domain_itself(query);
        break;
    case DNS_NO_NAME:
        query->status = MX_NO_DOMAIN;
        break;
    case DNS_TEMPORARY:
        query->status = MX_TEMPORARY;
        break;
    }
    query->done(query);
}

void mx_lookup(struct resolver *resolver, struct mx_query *query)
{
    query->is_implicit = query->is_secure = false;
    query->n_hosts = 0;
    query->why[0] = '\0';
    query->question.done = on_answer;
    query->question.type = DNS_TYPE_MX;
    memcpy(query->question.name, query->domain, DNS_NAME_SIZE);
    dns_ask(resolver, &query->question);
}

void mx_cancel(struct mx_query *query)
{
    dns_cancel(&query->question);
}
