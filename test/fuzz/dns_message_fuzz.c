/* Any answer off the wire: every record read keeps its bounds, and reading ends. */
#include "test/fuzz/fuzz.h"

#include "relay/net/dns_message.h"

static void check_name(const char *name)
{
    size_t len = strnlen(name, DNS_NAME_SIZE);

    PROMISE(len > 0 && len < DNS_NAME_SIZE - 1);
    for (size_t i = 0; i < len; i++)
        PROMISE(name[i] > ' ' && name[i] < 0x7f && name[i] != '\\');
}

/* No comma, colon or bracket: sites are named by hosts. */
static void check_host(const char *name)
{
    check_name(name);
    for (const char *c = name; *c; c++)
        PROMISE(strchr("-_/.", *c) || (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') ||
                (*c >= 'a' && *c <= 'z'));
}

static void check_record(const struct dns_record *record)
{
    check_name(record->name);
    switch (record->type) {
    case DNS_TYPE_A:
    case DNS_TYPE_AAAA:
        PROMISE(record->address.family == AF_INET || record->address.family == AF_INET6);
        break;
    case DNS_TYPE_MX:
        if (record->mx.host[0])
            check_host(record->mx.host);
        break;
    case DNS_TYPE_CNAME:
    case DNS_TYPE_NS:
    case DNS_TYPE_PTR:
        check_host(record->target);
        break;
    case DNS_TYPE_TXT:
        PROMISE(record->text.len <= DNS_TEXT_BYTES);
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char canonical[DNS_NAME_SIZE];
    struct dns_message message;
    struct dns_record record;
    unsigned n_records = 0;

    if (!dns_message_parse(slice_from(data, size), &message))
        return 0;
    while (dns_message_next(&message, &record)) {
        check_record(&record);
        n_records++;
    }
    PROMISE(n_records <= message.n_answers);
    if (n_records < 64 && dns_message_canonical(&message, canonical))
        while (dns_message_next_of(&message, canonical, &record))
            PROMISE(record.type == message.question_type);
    return 0;
}
