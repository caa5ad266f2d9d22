#include "webui/request_fields.h"

#include "relay/net/socket_address.h"

/* RFC 6265 4.1.1: cookie-octet. */
static bool is_cookie_value(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c <= ' ' || c >= 0x7f || c == '"' || c == ',' || c == ';' || c == '\\')
            return false;
    }
    return true;
}

bool cookie_find(struct slice header, const char *name, struct slice *out)
{
    struct slice wanted = slice_of(name), found = {NULL, 0};

    while (header.len) {
        ptrdiff_t end = slice_find(header, ';');
        struct slice pair = slice_trim(end < 0 ? header : slice_head(header, (size_t)end));
        ptrdiff_t equals = slice_find(pair, '=');

        header = slice_skip(header, end < 0 ? header.len : (size_t)end + 1);
        if (equals < 0 || !slice_equal(slice_head(pair, (size_t)equals), wanted))
            continue;
        if (found.data)
            return false;
        found = slice_skip(pair, (size_t)equals + 1);
    }
    if (!found.data || !found.len || !is_cookie_value(found))
        return false;
    *out = found;
    return true;
}

static bool is_token68(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = ascii_lower(text.data[i]);

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-._~+/=", c))))
            return false;
    }
    return text.len > 0;
}

bool bearer_find(struct slice header, struct slice *out)
{
    static const struct slice scheme = SLICE_LITERAL("Bearer ");
    struct slice rest;

    if (!slice_starts_with_ignoring_case(header, scheme))
        return false;
    rest = slice_trim(slice_skip(header, scheme.len));
    if (!is_token68(rest))
        return false;
    *out = rest;
    return true;
}

static bool is_port(struct slice text)
{
    uint64_t port;

    return slice_to_number(text, 65535, &port);
}

/* Without ":port"; false when what stands behind the name is none. */
static bool cut_port(struct slice host, struct slice *name)
{
    ptrdiff_t bracket = slice_find(host, ']'), colon = slice_find_last(host, ':');

    *name = host;
    if (colon < 0 || colon < bracket)
        return true;
    *name = slice_head(host, (size_t)colon);
    return is_port(slice_skip(host, (size_t)colon + 1));
}

static bool is_address(struct slice name)
{
    struct ip_address address;

    if (name.len > 2 && name.data[0] == '[' && name.data[name.len - 1] == ']')
        return ip_parse(slice_head(slice_skip(name, 1), name.len - 2), &address);
    return slice_find(name, ':') < 0 && ip_parse(name, &address);
}

bool host_is_ours(struct slice host, struct slice hostname)
{
    struct slice name;

    if (!cut_port(host, &name) || !name.len)
        return false;
    return is_address(name) || slice_equal_ignoring_case(name, SLICE_LITERAL("localhost")) ||
           (hostname.len && slice_equal_ignoring_case(name, hostname));
}

bool origin_is(struct slice origin, struct slice host, bool is_secure)
{
    struct slice scheme = is_secure ? SLICE_LITERAL("https://") : SLICE_LITERAL("http://");

    return slice_starts_with(origin, scheme) &&
           slice_equal_ignoring_case(slice_skip(origin, scheme.len), host) && host.len;
}

/* "q=0", "q=0.000" */
static bool is_refused(struct slice parameters)
{
    ptrdiff_t q = slice_search(parameters, SLICE_LITERAL("q="));
    struct slice weight = q < 0 ? slice_of("1") : slice_skip(parameters, (size_t)q + 2);

    for (size_t i = 0; i < weight.len && weight.data[i] != ' ' && weight.data[i] != ';'; i++)
        if (weight.data[i] >= '1' && weight.data[i] <= '9')
            return false;
    return true;
}

bool gzip_is_accepted(struct slice header)
{
    while (header.len) {
        ptrdiff_t comma = slice_find(header, ',');
        struct slice item = comma < 0 ? header : slice_head(header, (size_t)comma);
        ptrdiff_t semicolon = slice_find(item, ';');
        struct slice name = slice_trim(semicolon < 0 ? item : slice_head(item, (size_t)semicolon));

        if (slice_equal_ignoring_case(name, SLICE_LITERAL("gzip")))
            return semicolon < 0 || !is_refused(slice_skip(item, (size_t)semicolon + 1));
        header = slice_skip(header, comma < 0 ? header.len : (size_t)comma + 1);
    }
    return false;
}
