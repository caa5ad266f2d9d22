/* Any settings file: refused with sentences that name a line, or read; what `config show` then says
 * of it, written as a file again, means the same.  libconfuse reads it, so its leaks show here. */
#include "test/fuzz/fuzz.h"

#include <string.h>

#include "relay/control/config.h"
#include "relay/control/items.h"

static void note(void *owner, const struct setting_view *view)
{
    buffer_printf(owner, "%s[%s].%s=%s\n", view->section ? view->section : "",
                  view->title ? view->title : "", view->name, view->value);
}

struct writer {
    struct buffer text;
    const char *section, *title;
    bool is_open, is_unwritable; /* an item of a list that has a blank inside looks like two */
};

/* In double quotes, since in single ones there is no way to write a dollar and a brace. */
static void write_quoted(struct buffer *out, struct slice text)
{
    buffer_append_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (slice_find(SLICE_LITERAL("\"\\$"), text.data[i]) >= 0)
            buffer_append_byte(out, '\\');
        buffer_append_byte(out, text.data[i]);
    }
    buffer_append_byte(out, '"');
}

static void write_list(struct buffer *out, struct slice words)
{
    buffer_append_text(out, "{");
    while (words.len) {
        ptrdiff_t blank = slice_find(words, ' ');
        size_t len = blank < 0 ? words.len : (size_t)blank;

        write_quoted(out, slice_head(words, len));
        words = slice_skip(words, len + 1);
        buffer_append_text(out, words.len ? ", " : "");
    }
    buffer_append_text(out, "}");
}

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void enter(struct writer *writer, const struct setting_view *view)
{
    if (is_same(writer->section, view->section) && is_same(writer->title, view->title))
        return;
    if (writer->is_open)
        buffer_append_text(&writer->text, "}\n");
    writer->section = view->section;
    writer->title = view->title;
    writer->is_open = view->section;
    if (!view->section)
        return;
    buffer_printf(&writer->text, "%s ", view->section);
    if (view->title)
        write_quoted(&writer->text, slice_of(view->title));
    buffer_append_text(&writer->text, " {\n");
}

static void write_setting(void *owner, const struct setting_view *view)
{
    struct writer *writer = owner;
    bool is_list = strcmp(view->type, "list") == 0 || strcmp(view->type, "durations") == 0;

    enter(writer, view);
    if (!view->is_changed)
        return;
    buffer_printf(&writer->text, "%s = ", view->name);
    if (is_list)
        write_list(&writer->text, slice_of(view->value));
    else
        write_quoted(&writer->text, slice_of(view->value));
    buffer_append_text(&writer->text, "\n");
}

static bool is_number(const struct item *item)
{
    return item->type == ITEM_NUMBER || item->type == ITEM_SIZE || item->type == ITEM_SPAN;
}

/* What is printed might hide a difference: the numbers themselves. */
static void check_numbers(const void *before, const void *after, const struct item_section *section)
{
    for (size_t i = 0; i < section->n_items; i++)
        if (is_number(&section->items[i]))
            PROMISE(memcmp((const char *)before + section->items[i].offset,
                           (const char *)after + section->items[i].offset, sizeof(int64_t)) == 0);
}

static void check_sections(const struct settings *before, const struct settings *after)
{
    for (size_t s = 0; s < n_item_sections; s++) {
        const struct item_section *section = &item_sections[s];
        const char *old = (const char *)before + section->offset;
        const char *new = (const char *)after + section->offset;
        size_t n = 1;

        if (section->is_titled) {
            memcpy(&n, (const char *)before + section->count_offset, sizeof(n));
            old = *(const char *const *)(const void *)old;
            new = *(const char *const *)(const void *)new;
        }
        for (size_t i = 0; i < n; i++)
            check_numbers(old + i * section->size, new + i * section->size, section);
    }
}

static void check_again(const struct settings *settings)
{
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT, before = BUFFER_INIT, after = BUFFER_INIT;
    struct writer writer = {0};
    struct settings *again;

    settings_walk(settings, write_setting, &writer);
    if (writer.is_open)
        buffer_append_text(&writer.text, "}\n");
    if (config_parse(&again, "f", buffer_slice(&writer.text), &problem) != 0) {
        fprintf(stderr, "%.*s%.*s", (int)writer.text.len, writer.text.data, (int)problem.len,
                problem.data);
        abort();
    }
    settings_walk(settings, note, &before);
    settings_walk(again, note, &after);
    PROMISE(slice_equal(buffer_slice(&before), buffer_slice(&after)));
    PROMISE(!settings_need_restart(settings, again));
    check_sections(settings, again);
    settings_unref(again);
    buffer_fini(&writer.text);
}

/* Each line begins with where it is wrong; nothing in it can drive a terminal. */
static void check_problem(struct slice problem)
{
    PROMISE(problem.len > 0 && problem.data[problem.len - 1] == '\n');
    for (size_t i = 0; i < problem.len; i++)
        PROMISE(problem.data[i] == '\n' ||
                ((unsigned char)problem.data[i] >= ' ' && problem.data[i] != '\x7f'));
    while (problem.len) {
        ptrdiff_t end = slice_find(problem, '\n');

        PROMISE(slice_starts_with(problem, SLICE_LITERAL("f:")));
        problem = slice_skip(problem, (size_t)end + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;
    struct settings *settings = NULL;

    if (config_parse(&settings, "f", slice_from(data, size), &problem) == 0) {
        PROMISE(problem.len == 0);
        check_again(settings);
        settings_unref(settings);
    } else {
        check_problem(buffer_slice(&problem));
    }
    return 0;
}
