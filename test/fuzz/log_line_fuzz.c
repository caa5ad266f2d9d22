/* Whatever a peer says: one line of printable ASCII, of which the very bytes can be read back, as
 * logfmt and as JSON.  The fields' texts are parted by byte 0xFE. */
#include "test/fuzz/fuzz.h"

#include "relay/base/log.h"

enum { N_TEXTS = 3 };

static struct slice next_text(struct slice *rest)
{
    ptrdiff_t end = slice_find(*rest, '\xfe');
    struct slice text = slice_head(*rest, end < 0 ? rest->len : (size_t)end);

    *rest = slice_skip(*rest, text.len + 1);
    return text.data ? text : SLICE_LITERAL("");
}

static unsigned char unhex(struct slice digits)
{
    char text[3] = {digits.data[0], digits.data[1], '\0'}, *end;
    unsigned long byte = strtoul(text, &end, 16);

    PROMISE(*end == '\0');
    return (unsigned char)byte;
}

/* A quoted value: escape is what stands before the two digits of a byte.  Steps over it. */
static void read_quoted(struct slice *rest, struct slice escape, struct buffer *out)
{
    *rest = slice_skip(*rest, 1);
    while (rest->len && rest->data[0] != '"') {
        if (slice_starts_with(*rest, escape)) {
            PROMISE(rest->len > escape.len + 2);
            buffer_append_u8(out, unhex(slice_skip(*rest, escape.len)));
            *rest = slice_skip(*rest, escape.len + 2);
            continue;
        }
        if (rest->data[0] == '\\')
            *rest = slice_skip(*rest, 1);
        PROMISE(rest->len);
        buffer_append_byte(out, rest->data[0]);
        *rest = slice_skip(*rest, 1);
    }
    PROMISE(rest->len);
    *rest = slice_skip(*rest, 1);
}

static void read_value(struct slice *rest, bool is_json, struct buffer *out)
{
    size_t len = 0;

    if (rest->len && rest->data[0] == '"') {
        read_quoted(rest, is_json ? SLICE_LITERAL("\\u00") : SLICE_LITERAL("\\x"), out);
        return;
    }
    PROMISE(!is_json);
    while (len < rest->len && rest->data[len] != ' ' && rest->data[len] != '\n')
        len++;
    buffer_append(out, slice_head(*rest, len));
    *rest = slice_skip(*rest, len);
}

static void skip(struct slice *rest, struct slice wanted)
{
    PROMISE(slice_starts_with(*rest, wanted));
    *rest = slice_skip(*rest, wanted.len);
}

static void check(enum log_format format, const struct event *event)
{
    static const char *const starts[][N_TEXTS] = {
        {" a=",     " b=",     " c="    },
        {",\"a\":", ",\"b\":", ",\"c\":"}
    };
    bool is_json = format == LOG_FORMAT_JSON;
    CLEANUP(buffer) struct buffer line = BUFFER_INIT, value = BUFFER_INIT;
    struct slice rest;

    log_format_event(&line, format, event);
    PROMISE(slice_find(buffer_slice(&line), '\n') == (ptrdiff_t)line.len - 1);
    for (size_t i = 0; i + 1 < line.len; i++)
        PROMISE(line.data[i] >= ' ' && line.data[i] < 0x7f);
    rest = buffer_slice(&line);
    rest = slice_skip(rest, (size_t)slice_search(rest, slice_of(starts[is_json][0])));
    for (unsigned i = 0; i < N_TEXTS; i++) {
        skip(&rest, slice_of(starts[is_json][i]));
        buffer_clear(&value);
        read_value(&rest, is_json, &value);
        PROMISE(slice_equal(buffer_slice(&value), event->fields[i].text));
    }
    PROMISE(slice_equal(rest, is_json ? SLICE_LITERAL("}\n") : SLICE_LITERAL("\n")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_from(data, size);
    struct event_field fields[N_TEXTS];
    struct event event = {.kind = EVENT_FAULT, .utc_ms = 1, .n_fields = N_TEXTS, .fields = fields};

    fields[0] = field_slice("a", next_text(&rest));
    fields[1] = field_slice("b", next_text(&rest));
    fields[2] = field_slice("c", rest.data ? rest : SLICE_LITERAL(""));
    check(LOG_FORMAT_LOGFMT, &event);
    check(LOG_FORMAT_JSON, &event);
    return 0;
}
