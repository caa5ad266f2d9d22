#include "relay/smtp/reply.h"

/* "250-5.123.123 " and CRLF leave this much of 512 octets. */
enum { TEXT_PER_LINE = 480 };

static void append_printable(struct buffer *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c < ' ' || c == 0x7f)
            c = '?';
        buffer_append_byte(out, c);
    }
}

/* Takes the next line of at most TEXT_PER_LINE bytes off *rest. */
static struct slice take_line(struct slice *rest)
{
    ptrdiff_t lf = slice_find(slice_head(*rest, TEXT_PER_LINE + 1), '\n');
    struct slice line = slice_head(*rest, lf >= 0 ? (size_t)lf : TEXT_PER_LINE);

    *rest = slice_skip(*rest, line.len + (lf >= 0 ? 1 : 0));
    return line;
}

void smtp_reply_print(struct buffer *out, struct smtp_reply reply)
{
    struct slice rest = reply.text;

    do {
        struct slice line = take_line(&rest);

        buffer_printf(out, "%03u%c", (unsigned)reply.code, rest.len ? '-' : ' ');
        enhanced_status_print(out, reply.status);
        if (reply.status.class && line.len)
            buffer_append_byte(out, ' ');
        append_printable(out, line);
        buffer_append_text(out, "\r\n");
    } while (rest.len);
}

void smtp_reply_print_line(struct buffer *out, struct smtp_reply reply)
{
    buffer_printf(out, "%03u", (unsigned)reply.code);
    if (reply.status.class)
        buffer_append_byte(out, ' ');
    enhanced_status_print(out, reply.status);
    if (reply.text.len)
        buffer_append_byte(out, ' ');
    for (size_t i = 0; i < reply.text.len; i++) {
        char c = reply.text.data[i];

        if (c == '\n')
            c = ' ';
        buffer_append_byte(out, c);
    }
}
