#include "relay/cli/print.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/base/buffer.h"
#include "relay/cli/options.h"

enum { MAX_COLUMNS = 16 };

/* U+200B to U+200F, U+2028 to U+202E and U+2060 to U+206F: they turn round, break or hide what
 * stands beside them, so `queue list` would show another address than the one it means. */
static bool is_layout(unsigned char second, unsigned char third)
{
    if (second == 0x80)
        return (third >= 0x8b && third <= 0x8f) || (third >= 0xa8 && third <= 0xae);
    return second == 0x81 && third >= 0xa0 && third <= 0xaf;
}

/* C0, DEL, C1 and layout characters in their UTF-8 bytes (what jansson hands out is UTF-8). */
static size_t control_length(const char *text)
{
    unsigned char first = (unsigned char)text[0], second = (unsigned char)text[1];

    if (first < ' ' || first == 0x7f)
        return 1;
    if (first == 0xc2)
        return second >= 0x80 && second <= 0x9f ? 2 : 0;
    return first == 0xe2 && second && is_layout(second, (unsigned char)text[2]) ? 3 : 0;
}

static void append_plain(struct buffer *out, const char *text)
{
    while (*text) {
        size_t len = control_length(text);

        buffer_append_byte(out, (char)(len ? '?' : *text));
        text += len ? len : 1;
    }
}

void print_complaint(const char *sentence)
{
    CLEANUP(buffer) struct buffer plain = BUFFER_INIT;

    append_plain(&plain, sentence);
    fprintf(stderr, "staffetta: %.*s\n", (int)plain.len, plain.data ? plain.data : "");
}

static void append_plain_value(struct buffer *out, json_t *value)
{
    if (json_is_string(value))
        append_plain(out, json_string_value(value));
    else if (json_is_integer(value))
        buffer_printf(out, "%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        buffer_append_text(out, json_is_true(value) ? "yes" : "no");
}

/* Lists and objects of plain values: there is nothing deeper that people are shown. */
static void append_value(struct buffer *out, json_t *value)
{
    const char *name;
    size_t index;
    json_t *item;

    append_plain_value(out, value);
    json_array_foreach(value, index, item)
    {
        if (index)
            buffer_append_text(out, ", ");
        append_plain_value(out, item);
    }
    json_object_foreach(value, name, item)
    {
        if (out->len)
            buffer_append_text(out, ", ");
        append_plain(out, name);
        buffer_append_byte(out, '=');
        append_plain_value(out, item);
    }
}

char *print_member(json_t *object, const char *member)
{
    struct buffer text = BUFFER_INIT;

    append_value(&text, json_object_get(object, member));
    if (text.len == 0)
        buffer_append_byte(&text, '-');
    buffer_append_byte(&text, '\0');
    return text.data ? text.data : strdup("?");
}

void print_line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

static void print_json(json_t *value)
{
    /* Programs do not mind, and no terminal is driven by what a peer said. */
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII);

    puts(text ? text : "{}");
    free(text);
}

void print_object(const struct options *options, json_t *object, const struct column *columns)
{
    if (options->wants_json) {
        print_json(object);
        return;
    }
    for (; columns->member; columns++) {
        char *text = print_member(object, columns->member);

        printf("%-18s %s\n", columns->heading, text);
        free(text);
    }
}

static void measure(json_t *items, const struct column *columns, int widths[MAX_COLUMNS])
{
    size_t index;
    json_t *item;

    for (size_t i = 0; columns[i].member && i < MAX_COLUMNS; i++) {
        widths[i] = (int)strlen(columns[i].heading);
        json_array_foreach(items, index, item)
        {
            char *text = print_member(item, columns[i].member);

            if ((int)strlen(text) > widths[i])
                widths[i] = (int)strlen(text);
            free(text);
        }
    }
}

static void print_row(json_t *item, const struct column *columns, const int widths[MAX_COLUMNS])
{
    for (size_t i = 0; columns[i].member && i < MAX_COLUMNS; i++) {
        char *text = item ? print_member(item, columns[i].member) : strdup(columns[i].heading);

        if (columns[i + 1].member)
            printf("%-*s  ", widths[i], text ? text : "");
        else
            printf("%s\n", text ? text : "");
        free(text);
    }
}

void print_items(const struct options *options, json_t *items, const struct column *columns)
{
    int widths[MAX_COLUMNS] = {0};
    size_t index;
    json_t *item;

    if (!options->wants_json) {
        measure(items, columns, widths);
        print_row(NULL, columns, widths);
    }
    json_array_foreach(items, index, item)
    {
        if (options->wants_json)
            print_json(item);
        else
            print_row(item, columns, widths);
    }
}
