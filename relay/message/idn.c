#include "relay/message/idn.h"

#include <errno.h>
#include <idn2.h>
#include <stdlib.h>

#include "relay/message/line_scan.h"

enum { DOMAIN_MAX = 253, LABEL_MAX = 63, UTF8_DOMAIN_MAX = 1023 };

static bool is_domain_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/* Labels of 1 to 63 letters, digits, hyphens and underscores, 253 in all; no dot at the end. */
static bool is_ascii_domain(struct slice domain)
{
    size_t label = 0;

    for (size_t i = 0; i < domain.len; i++) {
        if (domain.data[i] != '.' && !is_domain_byte(domain.data[i]))
            return false;
        if (domain.data[i] == '.' ? label == 0 : label == LABEL_MAX)
            return false;
        label = domain.data[i] == '.' ? 0 : label + 1;
    }
    return label > 0 && domain.len <= DOMAIN_MAX;
}

static int copy_lower_case(struct slice domain, char *out)
{
    if (!is_ascii_domain(domain))
        return IDN_INVALID;
    for (size_t i = 0; i < domain.len; i++)
        out[i] = ascii_lower(domain.data[i]);
    out[domain.len] = '\0';
    return 0;
}

static int encode(const char *domain, char out[IDN_SIZE])
{
    char *ascii = NULL;
    int error = idn2_lookup_u8((const uint8_t *)domain, (uint8_t **)&ascii,
                               IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

    if (error == IDN2_MALLOC)
        return FAULT(-ENOMEM);
    error = error == IDN2_OK ? copy_lower_case(slice_of(ascii), out) : IDN_INVALID;
    if (ascii)
        idn2_free(ascii);
    return error;
}

int idn_to_ascii(struct slice domain, char out[IDN_SIZE])
{
    char CLEANUP(free) *text = NULL;

    if (!has_eight_bit(domain))
        return copy_lower_case(domain, out);
    if (domain.len > UTF8_DOMAIN_MAX || slice_find(domain, '\0') >= 0 || !is_utf8(domain))
        return IDN_INVALID;
    text = slice_to_string(domain);
    return text ? encode(text, out) : FAULT(-ENOMEM);
}
