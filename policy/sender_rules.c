#include "policy/sender_rules.h"

#include "relay/message/idn.h"

/* What stands behind the last @ is the domain, whatever the local part holds. */
static bool split_address(struct slice address, struct slice *local, struct slice *domain)
{
    ptrdiff_t at = slice_find_last(address, '@');

    if (at < 0)
        return false;
    *local = slice_head(address, (size_t)at);
    *domain = slice_skip(address, (size_t)at + 1);
    return local->len > 0 && domain->len > 0;
}

/* An address literal has no A-label; it is compared as it is written. */
static bool normalize_domain(struct slice domain, char out[IDN_SIZE])
{
    if (domain.len && domain.data[0] == '[')
        return slice_copy_to(domain, out, IDN_SIZE);
    return idn_to_ascii(domain, out) == 0;
}

/* Blanks and @ stand in quotes only. */
static bool is_rule_local(struct slice local)
{
    bool is_quoted = local.data[0] == '"';

    for (size_t i = 0; i < local.len; i++) {
        unsigned char c = (unsigned char)local.data[i];

        if (c < ' ' || c == 0x7f || (!is_quoted && (c == ' ' || c == '@')))
            return false;
    }
    return local.len <= 64;
}

/* A rule's domain is written by an operator: "example" or "[192.0.2.1]" would be a slip. */
static bool is_rule_domain(const char *domain)
{
    return strchr(domain, '.') && domain[0] != '[' && !strpbrk(domain, " @*");
}

static bool normalize_address(struct slice local, struct slice domain, char out[SENDER_RULE_SIZE])
{
    char ascii[IDN_SIZE];

    if (!is_rule_local(local) || !normalize_domain(domain, ascii) || strpbrk(ascii, " @*"))
        return false;
    memcpy(out, local.data, local.len);
    out[local.len] = '@';
    return slice_copy_to(slice_of(ascii), out + local.len + 1, SENDER_RULE_SIZE - local.len - 1);
}

bool sender_rule_normalize(struct slice text, char out[SENDER_RULE_SIZE])
{
    char ascii[IDN_SIZE];
    struct slice local, domain;

    if (slice_equal(text, SLICE_LITERAL("*")))
        return slice_copy_to(text, out, SENDER_RULE_SIZE);
    if (slice_find(text, '@') >= 0)
        return split_address(text, &local, &domain) && normalize_address(local, domain, out);
    if (idn_to_ascii(text, ascii) != 0 || !is_rule_domain(ascii))
        return false;
    return slice_copy_to(slice_of(ascii), out, SENDER_RULE_SIZE);
}

struct sender_rule sender_rule_of(struct slice text)
{
    struct sender_rule rule = {
        SENDER_DOMAIN, {NULL, 0},
         text
    };

    if (slice_equal(text, SLICE_LITERAL("*")))
        return (struct sender_rule){.scope = SENDER_ANYTHING};
    if (split_address(text, &rule.local, &rule.domain))
        rule.scope = SENDER_ADDRESS;
    return rule;
}

static bool rule_allows(const struct sender_rule *rule, struct slice local, struct slice domain)
{
    switch (rule->scope) {
    case SENDER_ANYTHING:
        return true;
    case SENDER_DOMAIN:
        return slice_equal_ignoring_case(rule->domain, domain);
    case SENDER_ADDRESS:
        return slice_equal_ignoring_case(rule->domain, domain) &&
               slice_equal_ignoring_case(rule->local, local);
    }
    return false;
}

bool sender_rules_allow(const struct sender_rule *rules, uint32_t n_rules, struct slice address)
{
    char ascii[IDN_SIZE];
    struct slice local, domain;

    if (!address.len)
        return true;
    if (!split_address(address, &local, &domain) || !normalize_domain(domain, ascii))
        return false;
    for (uint32_t i = 0; i < n_rules; i++)
        if (rule_allows(&rules[i], local, slice_of(ascii)))
            return true;
    return false;
}
