#include "signer/dns_record.h"

enum { TXT_STRING_MAX = 255 }; /* RFC 1035, 3.3: one length octet */

void dkim_record_print_name(struct buffer *out, const struct dkim_record *record)
{
    buffer_append(out, record->selector);
    buffer_append_text(out, "._domainkey.");
    buffer_append(out, record->domain);
}

void dkim_record_print_value(struct buffer *out, const struct dkim_record *record)
{
    buffer_printf(out, "v=DKIM1; k=%s; p=", dkim_key_type_name(record->type));
    buffer_append(out, record->public_half);
}

static void print_strings(struct buffer *out, const struct dkim_record *record,
                          const char *separator)
{
    CLEANUP(buffer) struct buffer value = BUFFER_INIT;
    struct slice rest;

    dkim_record_print_value(&value, record);
    if (buffer_error(&value))
        out->failed = true;
    rest = buffer_slice(&value);
    do {
        struct slice part = slice_head(rest, TXT_STRING_MAX);

        buffer_append_byte(out, '"');
        buffer_append(out, part);
        buffer_append_byte(out, '"');
        rest = slice_skip(rest, part.len);
        if (rest.len)
            buffer_append_text(out, separator);
    } while (rest.len);
}

void dkim_record_print_strings(struct buffer *out, const struct dkim_record *record)
{
    print_strings(out, record, " ");
}

void dkim_record_print_bind(struct buffer *out, const struct dkim_record *record)
{
    dkim_record_print_name(out, record);
    buffer_append_text(out, ". IN TXT ( ");
    print_strings(out, record, " ");
    buffer_append_text(out, " )");
}
