#include "relay/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "relay/base/clock.h"

static _Atomic(enum log_format) current_format = LOG_FORMAT_LOGFMT;
static _Atomic(enum event_level) current_level = LEVEL_INFO;

static const char *const level_names[] = {
    [LEVEL_DEBUG] = "debug",
    [LEVEL_INFO] = "info",
    [LEVEL_WARNING] = "warning",
    [LEVEL_ERROR] = "error",
};

void log_set(const char *format, const char *level)
{
    current_format = strcmp(format, "json") == 0 ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT;
    for (enum event_level i = LEVEL_DEBUG; i <= LEVEL_ERROR; i++)
        if (strcmp(level, level_names[i]) == 0)
            current_level = i;
}

enum event_level log_level(void)
{
    return current_level;
}

static bool is_printable(unsigned char c)
{
    return c >= ' ' && c < 0x7f;
}

static bool needs_quotes(struct slice text)
{
    if (text.len == 0)
        return true;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == ' ' || text.data[i] == '"' || text.data[i] == '=' ||
            text.data[i] == '\\' || !is_printable((unsigned char)text.data[i]))
            return true;
    return false;
}

static void append_quoted(struct buffer *out, struct slice text, const char *unprintable_format)
{
    buffer_append_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c == '"' || c == '\\')
            buffer_append_byte(out, '\\');
        if (is_printable(c)) {
            buffer_append_byte(out, (char)c);
        } else {
            char escaped[8];
            static const char digits[] = "0123456789abcdef";
            const char digit_pair[] = {digits[c >> 4], digits[c & 15], '\0'};

            snprintf(escaped, sizeof(escaped), "%s%s", unprintable_format, digit_pair);
            buffer_append_text(out, escaped);
        }
    }
    buffer_append_byte(out, '"');
}

/* Backwards where a clock was set back. */
static void append_seconds(struct buffer *out, int64_t ms)
{
    int64_t span = ms < 0 ? -ms : ms;
    const char fraction[] = {'.', (char)('0' + span / 100 % 10), (char)('0' + span / 10 % 10),
                             (char)('0' + span % 10)};

    if (ms < 0)
        buffer_append_byte(out, '-');
    buffer_append_number(out, span / 1000);
    buffer_append(out, slice_from(fraction, sizeof(fraction)));
}

static void append_logfmt_value(struct buffer *out, const struct event_field *field)
{
    if (field->type == FIELD_TYPE_NUMBER)
        buffer_append_number(out, field->number);
    else if (field->type == FIELD_TYPE_SECONDS)
        append_seconds(out, field->number);
    else if (needs_quotes(field->text))
        append_quoted(out, field->text, "\\x");
    else
        buffer_append(out, field->text);
}

static void append_json_value(struct buffer *out, const struct event_field *field)
{
    if (field->type == FIELD_TYPE_TEXT)
        /* Each byte as a code point: one reversible rule, valid JSON whatever the peer sent. */
        append_quoted(out, field->text, "\\u00");
    else
        append_logfmt_value(out, field);
}

static bool is_left_out(const struct event_field *field)
{
    return field->is_quiet || (field->type == FIELD_TYPE_TEXT && !field->text.data);
}

/* Many lines of one millisecond follow each other. */
static const char *stamp_of(int64_t utc_ms)
{
    static _Thread_local struct {
        int64_t utc_ms;
        char text[CLOCK_DATE_SIZE];
    } last;

    if (last.utc_ms != utc_ms || !*last.text) {
        clock_format_timestamp(utc_ms, last.text);
        last.utc_ms = utc_ms;
    }
    return last.text;
}

struct log_marks {
    const char *stamp, *level, *event, *head_end, *field, *value, *end;
};

/* clang-format off */
static const struct log_marks marks_of[] = {
    [LOG_FORMAT_LOGFMT] = {"ts=", " level=", " event=", "", " ", "=", "\n"},
    [LOG_FORMAT_JSON] = {"{\"ts\":\"", "\",\"level\":\"", "\",\"event\":\"", "\"", ",\"", "\":", "}\n"},
};
/* clang-format on */

static void append_head(struct buffer *out, const struct log_marks *marks,
                        const struct event *event)
{
    buffer_append_text(out, marks->stamp);
    buffer_append_text(out, stamp_of(event->utc_ms));
    buffer_append_text(out, marks->level);
    buffer_append_text(out, level_names[event_level_of(event->kind)]);
    buffer_append_text(out, marks->event);
    buffer_append_text(out, event_name(event->kind));
    buffer_append_text(out, marks->head_end);
}

void log_format_event(struct buffer *out, enum log_format format, const struct event *event)
{
    const struct log_marks *marks = &marks_of[format];

    append_head(out, marks, event);
    for (unsigned i = 0; i < event->n_fields; i++) {
        const struct event_field *field = &event->fields[i];

        if (is_left_out(field))
            continue;
        buffer_append_text(out, marks->field);
        buffer_append_text(out, field->name);
        buffer_append_text(out, marks->value);
        if (format == LOG_FORMAT_JSON)
            append_json_value(out, field);
        else
            append_logfmt_value(out, field);
    }
    buffer_append_text(out, marks->end);
}

void log_append(struct buffer *lines, const struct event *event)
{
    log_format_event(lines, current_format, event);
}

void log_flush(struct buffer *lines)
{
    struct slice rest = buffer_slice(lines);

    while (rest.len) {
        ssize_t n = write(STDERR_FILENO, rest.data, rest.len);

        if (n <= 0)
            break; /* nowhere left to complain */
        rest = slice_skip(rest, (size_t)n);
    }
    buffer_clear(lines);
}

void log_write(const struct event *event)
{
    CLEANUP(buffer) struct buffer line = BUFFER_INIT;

    log_append(&line, event);
    log_flush(&line);
}

void log_stamp(struct event *event)
{
    event->utc_ms = clock_utc_ms();
}

void log_debug(const char *topic, const char *format, ...)
{
    char text[512];
    va_list args;

    if (current_level > LEVEL_DEBUG)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    EVENT(EVENT_FAULT, field_text("at", topic), field_text("text", text));
}
