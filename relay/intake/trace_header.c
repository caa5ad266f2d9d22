#include "relay/intake/trace_header.h"

#include "relay/base/clock.h"
#include "relay/base/secret.h"

/* RFC 3848 and RFC 6531 4.3: UTF8SMTP, ESMTP, then S for TLS and A for AUTH. */
static void append_protocol(const struct trace *trace, struct buffer *out)
{
    buffer_append_text(out, trace->is_utf8 ? "UTF8SMTP" : trace->is_esmtp ? "ESMTP" : "SMTP");
    if (trace->tls.len && trace->is_esmtp)
        buffer_append_byte(out, 'S');
    if (trace->is_authenticated && trace->is_esmtp)
        buffer_append_byte(out, 'A');
}

/* A HELO name is the client's text: only what belongs in a host name or a literal goes in. */
static void append_helo(struct slice helo, struct buffer *out)
{
    for (size_t i = 0; i < helo.len; i++) {
        char c = helo.data[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!is_plain && slice_find(SLICE_LITERAL("-._[]:"), c) < 0)
            c = '?';
        buffer_append_byte(out, c);
    }
}

void trace_header_print(const struct trace *trace, struct buffer *out)
{
    char date[CLOCK_DATE_SIZE];

    buffer_append_text(out, "Received: ");
    if (trace->is_full) {
        buffer_append_text(out, "from ");
        append_helo(trace->helo.len ? trace->helo : SLICE_LITERAL("unknown"), out);
        buffer_append_text(out, " ([");
        buffer_append(out, trace->client_ip);
        buffer_append_text(out, "])\r\n\t");
    }
    buffer_append_text(out, "by ");
    buffer_append(out, trace->hostname);
    buffer_append_text(out, " (Staffetta) with ");
    append_protocol(trace, out);
    buffer_append_text(out, " id ");
    buffer_append(out, trace->queue_id);
    if (trace->is_full && trace->tls.len) {
        buffer_append_text(out, "\r\n\t(");
        buffer_append(out, trace->tls);
        buffer_append_text(out, ")");
    }
    clock_format_date(trace->utc_ms, date);
    buffer_append_text(out, ";\r\n\t");
    buffer_append_text(out, date);
    buffer_append_text(out, "\r\n");
}

void trace_message_id_print(struct slice queue_id, struct slice hostname, struct buffer *out)
{
    uint32_t random;

    random_bytes(&random, sizeof(random));
    buffer_printf(out, "<%08x.", random);
    buffer_append(out, queue_id);
    buffer_append_byte(out, '@');
    buffer_append(out, hostname);
    buffer_append_byte(out, '>');
}
