#include "signer/key_name.h"

#include <stdio.h>

static bool is_label_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* label *( "." label ), already in lower case.  An underscore is no host name, but is seen in
 * domains and selectors that do sign. */
static const char *find_fault(struct slice name)
{
    size_t label = 0;

    if (name.len == 0)
        return "is empty";
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '.' && label == 0)
            return "has an empty label";
        label = name.data[i] == '.' ? 0 : label + 1;
        if (label > 63)
            return "has a label above 63 octets";
        if (name.data[i] != '.' && !is_label_byte(name.data[i]))
            return "may have letters, digits, - and _ only (write it in A-labels)";
    }
    return label ? NULL : "ends with a dot";
}

/* Into out, lowered; what is one of "domain", "selector". */
static bool set_part(char *out, size_t size, struct slice part, const char *what,
                     char why[KEY_WHY_SIZE])
{
    const char *fault = "is too long";

    if (slice_copy_to(part, out, size)) {
        for (char *c = out; *c; c++)
            *c = ascii_lower(*c);
        fault = strlen(out) == part.len ? find_fault(slice_of(out)) : "has a NUL";
    }
    if (fault)
        snprintf(why, KEY_WHY_SIZE, "the %s %s", what, fault);
    return fault == NULL;
}

bool key_domain_set(char out[DKIM_DOMAIN_SIZE], struct slice domain, char why[KEY_WHY_SIZE])
{
    return set_part(out, DKIM_DOMAIN_SIZE, domain, "domain", why);
}

/* The text between them must stand once only, or a file name could be read in two ways. */
static bool has_domainkey(const char *name)
{
    return strncmp(name, "_domainkey", 10) == 0 || strstr(name, "._domainkey") != NULL;
}

bool key_name_set(struct key_name *out, struct slice domain, struct slice selector,
                  char why[KEY_WHY_SIZE])
{
    const char *fault = NULL;

    if (!set_part(out->domain, sizeof(out->domain), domain, "domain", why) ||
        !set_part(out->selector, sizeof(out->selector), selector, "selector", why))
        return false;
    if (has_domainkey(out->domain) || has_domainkey(out->selector))
        fault = "domain and selector are given without _domainkey";
    else if (domain.len + selector.len + sizeof("._domainkey.") - 1 > DKIM_NAME_MAX)
        fault = "selector._domainkey.domain is too long";
    if (fault)
        snprintf(why, KEY_WHY_SIZE, "%s", fault);
    return fault == NULL;
}

const char *dkim_key_type_name(enum dkim_key_type type)
{
    return type == DKIM_KEY_RSA ? "rsa" : "ed25519";
}
