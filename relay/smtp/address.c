#include "relay/smtp/address.h"

#include <arpa/inet.h>

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

static bool is_high(char c)
{
    return (unsigned char)c >= 0x80;
}

static bool has_high_byte(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (is_high(text.data[i]))
            return true;
    return false;
}

/* atext (RFC 5322 3.2.3), and UTF-8 (RFC 6531 3.3) which is checked as a whole. */
static bool is_atext(char c)
{
    return is_letter_or_digit(c) || is_high(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* Length of Dot-string = Atom *("." Atom) at the start of text; 0: there is none. */
static size_t scan_dot_string(struct slice text)
{
    size_t i = 0, atom = 0;

    for (; i < text.len; i++) {
        if (is_atext(text.data[i]))
            atom++;
        else if (text.data[i] == '.' && atom)
            atom = 0;
        else
            break;
    }
    return atom ? i : 0;
}

/* Length of Quoted-string = DQUOTE *QcontentSMTP DQUOTE at the start of text; 0: malformed. */
static size_t scan_quoted_string(struct slice text)
{
    for (size_t i = 1; i < text.len; i++) {
        char c = text.data[i];

        if (c == '"')
            return i + 1;
        if (c == '\\' && (++i == text.len || is_high(text.data[i])))
            return 0;
        if (!is_high(text.data[i]) && (text.data[i] < ' ' || text.data[i] == 0x7f))
            return 0;
    }
    return 0;
}

static size_t scan_local(struct slice text)
{
    return text.len && text.data[0] == '"' ? scan_quoted_string(text) : scan_dot_string(text);
}

/* Length of what may be a domain: it ends at a blank, at ">" or with the text. */
static size_t scan_domain(struct slice text)
{
    size_t len = 0;

    while (len < text.len && text.data[len] != '>' && text.data[len] != ' ')
        len++;
    return len;
}

/* Letters, digits and inner hyphens; "_" is in no RFC but in names of hosts that exist. */
static bool is_label(struct slice label)
{
    bool is_ascii = true;

    if (label.len == 0 || label.data[0] == '-' || label.data[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        char c = label.data[i];

        if (!is_letter_or_digit(c) && c != '-' && c != '_' && !is_high(c))
            return false;
        is_ascii = is_ascii && !is_high(c);
    }
    return !is_ascii || label.len <= 63;
}

static bool is_number(struct slice label)
{
    for (size_t i = 0; i < label.len; i++)
        if (label.data[i] < '0' || label.data[i] > '9')
            return false;
    return true;
}

/* Characters that IDNA mappings turn into "." or "@": a name with one of them could be taken for
 * another name further on. */
static bool has_look_alike(struct slice text)
{
    static const struct slice look_alikes[] = {
        SLICE_LITERAL("\xe3\x80\x82"), /* U+3002 ideographic full stop */
        SLICE_LITERAL("\xef\xbc\x8e"), /* U+FF0E fullwidth full stop */
        SLICE_LITERAL("\xef\xbd\xa1"), /* U+FF61 halfwidth ideographic full stop */
        SLICE_LITERAL("\xef\xbc\xa0"), /* U+FF20 fullwidth commercial at */
        SLICE_LITERAL("\xef\xb9\xab"), /* U+FE6B small commercial at */
        SLICE_LITERAL("\xef\xb9\x92"), /* U+FE52 small full stop */
        SLICE_LITERAL("\xe2\x80\xa4"), /* U+2024 one dot leader */
    };

    for (size_t i = 0; i < sizeof(look_alikes) / sizeof(look_alikes[0]); i++)
        if (slice_search(text, look_alikes[i]) >= 0)
            return true;
    return false;
}

bool address_is_domain(struct slice text)
{
    struct slice rest = text, label;
    ptrdiff_t dot;

    if (text.len == 0 || text.len > ADDRESS_DOMAIN_MAX)
        return false;
    do {
        dot = slice_find(rest, '.');
        label = dot < 0 ? rest : slice_head(rest, (size_t)dot);
        if (!is_label(label))
            return false;
        rest = slice_skip(rest, label.len + 1);
    } while (dot >= 0);
    /* user@192.0.2.1 is meant as an address, which is written in brackets. */
    return !is_number(label) &&
           (!has_high_byte(text) || (address_is_clean_utf8(text) && !has_look_alike(text)));
}

static bool is_literal(struct slice text)
{
    static const struct slice ipv6 = SLICE_LITERAL("IPv6:");
    char digits[INET6_ADDRSTRLEN];
    unsigned char parsed[16];
    struct slice inner;
    int family = AF_INET;

    if (text.len < 2 || text.data[0] != '[' || text.data[text.len - 1] != ']')
        return false;
    inner = slice_from(text.data + 1, text.len - 2);
    if (slice_starts_with_ignoring_case(inner, ipv6)) {
        inner = slice_skip(inner, ipv6.len);
        family = AF_INET6;
    }
    return slice_find(inner, '\0') < 0 && slice_copy_to(inner, digits, sizeof(digits)) &&
           inet_pton(family, digits, parsed) == 1;
}

/* Continuation bytes that must follow a first byte; -1: it cannot be first. */
static int continuation_bytes(unsigned char first)
{
    if (first < 0x80)
        return 0;
    if (first >= 0xc2 && first <= 0xdf)
        return 1;
    if (first >= 0xe0 && first <= 0xef)
        return 2;
    return first >= 0xf0 && first <= 0xf4 ? 3 : -1;
}

static bool is_clean_code_point(uint32_t code_point, int n_continuation)
{
    static const uint32_t smallest[] = {0x20, 0xa0, 0x800, 0x10000};

    return code_point >= smallest[n_continuation] && code_point != 0x7f && code_point <= 0x10ffff &&
           (code_point < 0xd800 || code_point > 0xdfff);
}

bool address_is_clean_utf8(struct slice text)
{
    static const unsigned char first_mask[] = {0x7f, 0x1f, 0x0f, 0x07};
    size_t i = 0;

    while (i < text.len) {
        unsigned char first = (unsigned char)text.data[i++];
        int n_continuation = continuation_bytes(first);
        uint32_t code_point;

        if (n_continuation < 0 || text.len - i < (size_t)n_continuation)
            return false;
        code_point = first & first_mask[n_continuation];
        for (int k = 0; k < n_continuation; k++) {
            unsigned char next = (unsigned char)text.data[i++];

            if ((next & 0xc0) != 0x80)
                return false;
            code_point = code_point << 6 | (next & 0x3f);
        }
        if (!is_clean_code_point(code_point, n_continuation))
            return false;
    }
    return true;
}

/* Mailbox at the start of text, whose domain ends as scan_domain() says. */
static enum address_problem parse_mailbox(struct slice text, struct address *out)
{
    struct slice local = slice_head(text, scan_local(text));
    struct slice rest = slice_skip(text, local.len);
    struct address address = {.local = local};

    if (local.len == 0 || rest.len == 0 || rest.data[0] != '@' || !address_is_clean_utf8(local))
        return ADDRESS_BAD_LOCAL;
    rest = slice_skip(rest, 1);
    address.domain = slice_head(rest, scan_domain(rest));
    if (local.len > ADDRESS_LOCAL_MAX || address.domain.len > ADDRESS_DOMAIN_MAX)
        return ADDRESS_TOO_LONG;
    address.is_literal = is_literal(address.domain);
    if (!address.is_literal && !address_is_domain(address.domain))
        return ADDRESS_BAD_DOMAIN;
    address.whole = slice_head(text, local.len + 1 + address.domain.len);
    address.is_utf8 = has_high_byte(address.whole);
    *out = address;
    return ADDRESS_OK;
}

enum address_problem address_parse_mailbox(struct slice text, struct address *out)
{
    struct address address;
    enum address_problem problem = parse_mailbox(text, &address);

    if (problem != ADDRESS_OK)
        return problem;
    if (address.whole.len != text.len)
        return ADDRESS_BAD_DOMAIN;
    *out = address;
    return ADDRESS_OK;
}

/* What stands between "<" and the first ">" that is not the mailbox's own: *text is behind "<". */
static enum address_problem parse_bracketed(struct slice text, struct address *out)
{
    static const struct slice postmaster = SLICE_LITERAL("Postmaster");

    if (slice_starts_with(text, SLICE_LITERAL(">"))) {
        *out = (struct address){.whole = slice_head(text, 0), .is_null = true};
        return ADDRESS_OK;
    }
    if (slice_starts_with(text, SLICE_LITERAL("@")))
        return ADDRESS_HAS_ROUTE;
    if (slice_starts_with_ignoring_case(text, SLICE_LITERAL("Postmaster>"))) {
        struct slice local = slice_head(text, postmaster.len);

        *out = (struct address){.whole = local, .local = local, .is_postmaster = true};
        return ADDRESS_OK;
    }
    return parse_mailbox(text, out);
}

enum address_problem address_parse_path(struct slice *text, struct address *out)
{
    struct address address;
    enum address_problem problem;
    struct slice rest;

    if (!slice_starts_with(*text, SLICE_LITERAL("<")))
        return ADDRESS_NO_BRACKETS;
    rest = slice_skip(*text, 1);
    problem = parse_bracketed(rest, &address);
    if (problem != ADDRESS_OK)
        return problem;
    rest = slice_skip(rest, address.whole.len);
    if (!slice_starts_with(rest, SLICE_LITERAL(">")))
        return ADDRESS_NO_BRACKETS;
    *out = address;
    *text = slice_skip(rest, 1);
    return ADDRESS_OK;
}
