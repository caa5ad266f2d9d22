#include "relay/net/dns_answer.h"

#include <stdio.h>

void dns_answer_reset(struct dns_query *query)
{
    query->status = DNS_TEMPORARY;
    query->is_secure = false;
    query->ttl = 0;
    query->answer = (struct dns_message){0};
    query->canonical[0] = query->why[0] = '\0';
    query->private_.wire = NULL;
    query->private_.flight = NULL;
    list_init(&query->private_.links);
}

void dns_answer_set(struct dns_query *query, enum dns_status status, const char *why,
                    const char *detail)
{
    query->status = status;
    snprintf(query->why, sizeof(query->why), "%s%s%s", why, detail ? ": " : "",
             detail ? detail : "");
}

static enum dns_status examine_records(struct dns_query *query)
{
    struct dns_record record;
    bool has_data = false;

    query->ttl = UINT32_MAX;
    dns_message_rewind(&query->answer);
    while (dns_message_next(&query->answer, &record)) {
        if (record.ttl < query->ttl)
            query->ttl = record.ttl;
        if (record.type == query->type && dns_name_equal(record.name, query->canonical))
            has_data = true;
    }
    dns_message_rewind(&query->answer);
    if (!has_data)
        query->ttl = DNS_NEGATIVE_TTL;
    return has_data ? DNS_OK : DNS_NO_DATA;
}

static void examine(struct dns_query *query)
{
    if (query->answer.rcode == DNS_RCODE_NXDOMAIN) {
        dns_answer_set(query, DNS_NO_NAME, "no such name", NULL);
    } else if (query->answer.rcode != DNS_RCODE_OK) {
        dns_answer_set(query, DNS_TEMPORARY, "the name servers cannot answer", NULL);
    } else if (!dns_message_canonical(&query->answer, query->canonical)) {
        dns_answer_set(query, DNS_TEMPORARY, "aliases in a circle, or too many", NULL);
    } else if (examine_records(query) == DNS_OK) {
        dns_answer_set(query, DNS_OK, "", NULL);
    } else {
        dns_answer_set(query, DNS_NO_DATA, "no such record", NULL);
    }
}

void dns_answer_take(struct dns_query *query, int rcode, struct slice wire,
                     enum dns_security security, const char *why_bogus)
{
    query->ttl = DNS_NEGATIVE_TTL;
    query->is_secure = security == DNS_SECURE;
    if (rcode == DNS_RCODE_NXDOMAIN) {
        dns_answer_set(query, DNS_NO_NAME, "no such name", NULL);
    } else if (security == DNS_BOGUS) {
        dns_answer_set(query, DNS_TEMPORARY, "DNSSEC validation failed", why_bogus);
    } else if (rcode != DNS_RCODE_OK) {
        dns_answer_set(query, DNS_TEMPORARY, "no answer from the name servers", NULL);
    } else {
        query->private_.wire = malloc(wire.len + 1);
        if (query->private_.wire)
            memcpy(query->private_.wire, wire.data, wire.len);
        if (query->private_.wire &&
            dns_message_parse(slice_from(query->private_.wire, wire.len), &query->answer))
            examine(query);
        else
            dns_answer_set(query, DNS_TEMPORARY, "an answer that cannot be read", NULL);
    }
}
