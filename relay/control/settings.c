#include "relay/control/settings.h"

#include <stdlib.h>

#include "relay/control/items.h"

struct settings *settings_ref(struct settings *settings)
{
    atomic_fetch_add(&settings->n_references, 1);
    return settings;
}

struct settings *settings_unref(struct settings *settings)
{
    if (settings && atomic_fetch_sub(&settings->n_references, 1) == 1) {
        arena_reset(&settings->arena);
        free(settings);
    }
    return NULL;
}

static size_t count_of(const struct settings *settings, const struct item_section *section)
{
    return section->is_titled
               ? *(const size_t *)(const void *)((const char *)settings + section->count_offset)
               : 1;
}

static const char *base_of(const struct settings *settings, const struct item_section *section,
                           size_t index)
{
    const char *member = (const char *)settings + section->offset;

    if (!section->is_titled)
        return member;
    return *(const char *const *)(const void *)member + index * section->size;
}

struct walk {
    void (*visit)(void *owner, const struct setting_view *view);
    void *owner;
    struct buffer value;
};

static void walk_item(struct walk *walk, const struct item_section *section, const char *title,
                      const struct item *item, const void *base)
{
    struct setting_view view = {
        section->name,        title,        item->name, NULL,  item->default_text,
        item_type_name(item), item->bounds, item->help, false, item->needs_restart};

    buffer_clear(&walk->value);
    item_print(item, base, &walk->value);
    buffer_append_byte(&walk->value, '\0');
    if (buffer_error(&walk->value) < 0)
        return;
    view.value = walk->value.data;
    view.is_changed = strcmp(view.value, view.default_value) != 0;
    walk->visit(walk->owner, &view);
}

void settings_walk(const struct settings *settings,
                   void (*visit)(void *owner, const struct setting_view *view), void *owner)
{
    struct walk walk = {.visit = visit, .owner = owner};

    for (size_t s = 0; s < n_item_sections; s++) {
        const struct item_section *section = &item_sections[s];

        for (size_t i = 0; i < count_of(settings, section); i++) {
            const char *base = base_of(settings, section, i);
            /* Every section's struct starts with its title; the top has none. */
            const char *title =
                section->is_titled ? *(const char *const *)(const void *)base : NULL;

            for (size_t k = 0; k < section->n_items; k++)
                walk_item(&walk, section, title, &section->items[k], base);
        }
    }
    buffer_fini(&walk.value);
}

static bool prints_alike(const struct item *item, const void *a, const void *b)
{
    CLEANUP(buffer) struct buffer text_a = BUFFER_INIT;
    CLEANUP(buffer) struct buffer text_b = BUFFER_INIT;

    item_print(item, a, &text_a);
    item_print(item, b, &text_b);
    return slice_equal(buffer_slice(&text_a), buffer_slice(&text_b));
}

const char *settings_need_restart(const struct settings *before, const struct settings *after)
{
    for (size_t s = 0; s < n_item_sections; s++) {
        const struct item_section *section = &item_sections[s];

        if (section->is_titled)
            continue; /* every titled section is LIVE */
        for (size_t k = 0; k < section->n_items; k++) {
            const struct item *item = &section->items[k];

            if (item->needs_restart &&
                !prints_alike(item, base_of(before, section, 0), base_of(after, section, 0)))
                return item->name;
        }
    }
    return NULL;
}
