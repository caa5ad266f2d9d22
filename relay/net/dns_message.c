#include "relay/net/dns_message.h"

enum {
    HEADER_BYTES = 12,
    MAX_WIRE_BYTES = 65535,
    MAX_NAME_BYTES = 255, /* RFC 1035 2.3.4, on the wire */
    MAX_LABEL_BYTES = 63,
    MAX_POINTERS = 127, /* no honest name needs more */
    CLASS_IN = 1,
};

static bool read_u16(struct slice wire, size_t *at, uint16_t *out)
{
    if (wire.len < 2 || *at > wire.len - 2)
        return false;
    *out = (uint16_t)((uint8_t)wire.data[*at] << 8 | (uint8_t)wire.data[*at + 1]);
    *at += 2;
    return true;
}

static bool read_u32(struct slice wire, size_t *at, uint32_t *out)
{
    uint16_t high, low;

    if (!read_u16(wire, at, &high) || !read_u16(wire, at, &low))
        return false;
    *out = (uint32_t)high << 16 | low;
    return true;
}

/* A name while it is read. */
struct name_reader {
    struct slice wire;
    size_t at;         /* where the next label is read */
    size_t end;        /* where the name ended in the record; 0: no pointer followed yet */
    size_t wire_bytes; /* of the name, uncompressed */
    unsigned n_pointers;
    size_t len; /* of the text so far */
    bool is_plain;
    char *text;
};

static bool is_plain_byte(char c)
{
    return c > ' ' && c < 0x7f && c != '.' && c != '\\';
}

/* A pointer goes strictly backwards from where it stands, RFC 1035 4.1.4: so every loop ends. */
static bool follow_pointer(struct name_reader *name)
{
    size_t from = name->at;
    uint16_t pointer;

    if (!read_u16(name->wire, &name->at, &pointer) || ++name->n_pointers > MAX_POINTERS)
        return false;
    if (!name->end)
        name->end = name->at;
    name->at = pointer & 0x3fff;
    return name->at < from;
}

static bool take_label(struct name_reader *name, size_t len)
{
    const char *label = name->wire.data + name->at + 1;

    if (len > MAX_LABEL_BYTES || len + 1 > name->wire.len - name->at ||
        (name->wire_bytes += len + 1) >= MAX_NAME_BYTES)
        return false;
    for (size_t i = 0; i < len; i++)
        name->is_plain = name->is_plain && is_plain_byte(label[i]);
    if (name->len)
        name->text[name->len++] = '.';
    memcpy(name->text + name->len, label, len);
    name->len += len;
    name->at += len + 1;
    return true;
}

/* Moves *at behind the name.  False: malformed; *is_plain false: not a name for people. */
static bool read_name(struct slice wire, size_t *at, char out[DNS_NAME_SIZE], bool *is_plain)
{
    struct name_reader name = {.wire = wire, .at = *at, .is_plain = true, .text = out};

    for (;;) {
        uint8_t len;

        if (name.at >= wire.len)
            return false;
        len = (uint8_t)wire.data[name.at];
        if (len == 0)
            break;
        if ((len & 0xc0) == 0xc0 ? !follow_pointer(&name) : !take_label(&name, len))
            return false;
    }
    *at = name.end ? name.end : name.at + 1;
    if (name.len == 0)
        out[name.len++] = '.';
    out[name.len] = '\0';
    *is_plain = name.is_plain;
    return true;
}

static bool read_question(struct dns_message *message)
{
    uint16_t class;
    bool is_plain;

    return read_name(message->wire, &message->at, message->question, &is_plain) &&
           read_u16(message->wire, &message->at, &message->question_type) &&
           read_u16(message->wire, &message->at, &class) && class == CLASS_IN;
}

bool dns_message_parse(struct slice wire, struct dns_message *out)
{
    struct dns_message message = {.wire = wire};
    uint16_t id, flags, n_questions, n_answers, ignored;
    size_t at = 0;

    if (wire.len > MAX_WIRE_BYTES || !read_u16(wire, &at, &id) || !read_u16(wire, &at, &flags) ||
        !read_u16(wire, &at, &n_questions) || !read_u16(wire, &at, &n_answers) ||
        !read_u16(wire, &at, &ignored) || !read_u16(wire, &at, &ignored))
        return false;
    if (!(flags & 0x8000) || n_questions != 1) /* QR: an answer */
        return false;
    message.rcode = flags & 0x0f;
    message.is_authentic = flags & 0x0020;
    message.is_truncated = flags & 0x0200;
    message.n_answers = message.n_left = n_answers;
    message.at = HEADER_BYTES;
    if (!read_question(&message))
        return false;
    message.first_answer = message.at;
    *out = message;
    return true;
}

void dns_message_rewind(struct dns_message *message)
{
    message->at = message->first_answer;
    message->n_left = message->n_answers;
}

/* ---- record data: each reads what lies in data, wire being there for compressed names ---- */

struct record_data {
    struct slice wire;
    size_t at, len;
};

static struct slice bytes_of(const struct record_data *data)
{
    return slice_from(data->wire.data + data->at, data->len);
}

static bool read_v4(const struct record_data *data, struct dns_record *out)
{
    if (data->len != 4)
        return false;
    out->address = (struct ip_address){.family = AF_INET};
    memcpy(out->address.bytes, bytes_of(data).data, 4);
    return true;
}

/* Through socket_address, which un-maps ::ffff:0:0/96. */
static bool read_v6(const struct record_data *data, struct dns_record *out)
{
    struct socket_address address = {.len = sizeof(address.v6)};

    if (data->len != 16)
        return false;
    address.v6.sin6_family = AF_INET6;
    memcpy(&address.v6.sin6_addr, bytes_of(data).data, 16);
    out->address = socket_address_ip(&address);
    return true;
}

/* Sites are named by the hosts that answers name: a comma, a colon or a bracket in a label would
 * make another site's name.  RFC 1123 2.1; '_' is met, '/' in aliases of PTR (RFC 2317). */
static bool is_of_host(const char *name)
{
    return name[strspn(
               name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/.")] == '\0';
}

/* The name must end where the record ends. */
static bool read_only_name(const struct record_data *data, size_t skipped, char *out)
{
    size_t at = data->at + skipped;
    bool is_plain;

    return read_name(slice_head(data->wire, data->at + data->len), &at, out, &is_plain) &&
           is_plain && at == data->at + data->len;
}

static bool read_target(const struct record_data *data, struct dns_record *out)
{
    return read_only_name(data, 0, out->target) && is_of_host(out->target);
}

static bool read_mx(const struct record_data *data, struct dns_record *out)
{
    size_t at = data->at;

    if (data->len <= 2 || !read_u16(data->wire, &at, &out->mx.preference) ||
        !read_only_name(data, 2, out->mx.host))
        return false;
    if (!is_of_host(out->mx.host))
        out->mx.host[0] = '\0';
    return true;
}

/* Strings with a length octet each, joined without anything between (RFC 7208 3.3, 6376 3.6.2.2).
 */
static bool read_text(const struct record_data *data, struct dns_record *out)
{
    struct slice rest = bytes_of(data);

    out->text.len = 0;
    while (rest.len) {
        size_t len = (uint8_t)rest.data[0];

        if (len + 1 > rest.len || len > sizeof(out->text.bytes) - out->text.len)
            return false;
        memcpy(out->text.bytes + out->text.len, rest.data + 1, len);
        out->text.len += len;
        rest = slice_skip(rest, len + 1);
    }
    return true;
}

static bool read_tlsa(const struct record_data *data, struct dns_record *out)
{
    struct slice bytes = bytes_of(data);

    if (bytes.len < 4 || bytes.len - 3 > sizeof(out->tlsa.data))
        return false;
    out->tlsa.usage = (uint8_t)bytes.data[0];
    out->tlsa.selector = (uint8_t)bytes.data[1];
    out->tlsa.matching = (uint8_t)bytes.data[2];
    out->tlsa.len = (uint8_t)(bytes.len - 3);
    memcpy(out->tlsa.data, bytes.data + 3, out->tlsa.len);
    return true;
}

/* Its presence is all we want to know (resolver.c: does the forwarder pass signatures?). */
static bool read_nothing(const struct record_data *data, struct dns_record *out)
{
    (void)data;
    (void)out;
    return true;
}

static const struct record_kind {
    uint16_t type;
    bool (*read)(const struct record_data *data, struct dns_record *out);
} record_kinds[] = {
    {DNS_TYPE_A,      read_v4     },
    {DNS_TYPE_AAAA,   read_v6     },
    {DNS_TYPE_CNAME,  read_target },
    {DNS_TYPE_NS,     read_target },
    {DNS_TYPE_PTR,    read_target },
    {DNS_TYPE_MX,     read_mx     },
    {DNS_TYPE_TXT,    read_text   },
    {DNS_TYPE_TLSA,   read_tlsa   },
    {DNS_TYPE_RRSIG,  read_nothing},
    {DNS_TYPE_DNSKEY, read_nothing},
};

static bool read_data(const struct record_data *data, struct dns_record *out)
{
    for (size_t i = 0; i < sizeof(record_kinds) / sizeof(record_kinds[0]); i++)
        if (record_kinds[i].type == out->type)
            return record_kinds[i].read(data, out);
    return false;
}

/* One record; *is_known: it is of use.  False: the rest cannot be read. */
static bool read_record(struct dns_message *message, struct dns_record *out, bool *is_known)
{
    struct record_data data = {.wire = message->wire};
    uint16_t class, len;
    bool is_plain;

    if (!read_name(message->wire, &message->at, out->name, &is_plain) ||
        !read_u16(message->wire, &message->at, &out->type) ||
        !read_u16(message->wire, &message->at, &class) ||
        !read_u32(message->wire, &message->at, &out->ttl) ||
        !read_u16(message->wire, &message->at, &len) || len > message->wire.len - message->at)
        return false;
    if (out->ttl > INT32_MAX)
        out->ttl = 0; /* RFC 2181 8 */
    data.at = message->at;
    data.len = len;
    message->at += len;
    *is_known = is_plain && class == CLASS_IN && read_data(&data, out);
    return true;
}

bool dns_message_next(struct dns_message *message, struct dns_record *out)
{
    while (message->n_left > 0) {
        bool is_known = false;

        message->n_left--;
        if (!read_record(message, out, &is_known)) {
            message->n_left = 0;
            return false;
        }
        if (is_known)
            return true;
    }
    return false;
}

bool dns_message_canonical(struct dns_message *message, char out[DNS_NAME_SIZE])
{
    struct dns_record record;

    slice_copy_to(slice_of(message->question), out, DNS_NAME_SIZE);
    for (int n_cnames = 0; n_cnames <= DNS_MAX_CNAMES; n_cnames++) {
        bool is_alias = false;

        dns_message_rewind(message);
        while (!is_alias && dns_message_next(message, &record))
            is_alias = record.type == DNS_TYPE_CNAME && dns_name_equal(record.name, out);
        dns_message_rewind(message);
        if (!is_alias || message->question_type == DNS_TYPE_CNAME)
            return true;
        slice_copy_to(slice_of(record.target), out, DNS_NAME_SIZE);
    }
    return false;
}

bool dns_message_next_of(struct dns_message *message, const char *canonical, struct dns_record *out)
{
    while (dns_message_next(message, out))
        if (out->type == message->question_type && dns_name_equal(out->name, canonical))
            return true;
    return false;
}

bool dns_message_has_signature(struct dns_message *message)
{
    struct dns_record record;

    while (dns_message_next(message, &record))
        if (record.type == DNS_TYPE_RRSIG)
            return true;
    return false;
}

static struct slice without_last_dot(const char *name)
{
    struct slice slice = slice_of(name);

    if (slice.len > 1 && slice.data[slice.len - 1] == '.')
        slice.len--;
    return slice;
}

bool dns_name_equal(const char *a, const char *b)
{
    return slice_equal_ignoring_case(without_last_dot(a), without_last_dot(b));
}
