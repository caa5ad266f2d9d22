/* The rows of config_items.h at run time, and the one place that turns a text into a value.
 * Private to relay/control.  Thread: any (constant tables). */
#pragma once

#include "relay/base/buffer.h"
#include "relay/control/settings.h"

enum item_type {
    ITEM_TEXT,
    ITEM_SECRET,
    ITEM_LIST,
    ITEM_BOOL,
    ITEM_CHOICE,
    ITEM_NUMBER,
    ITEM_SIZE,
    ITEM_SPAN,
    ITEM_SPANS
};

struct item {
    const char *name, *default_text, *bounds, *help;
    size_t offset; /* of the field in its section's struct */
    enum item_type type;
    bool needs_restart;
};

struct item_section {
    const char *name; /* NULL: the top of the file */
    const struct item *items;
    size_t n_items;
    bool is_titled;
    size_t offset;       /* of the section (titled: of the array's pointer) in struct settings */
    size_t count_offset; /* of n_… in struct settings, titled ones only */
    size_t size;         /* of one section's struct */
};

extern const struct item_section item_sections[]; /* the top first */
extern const size_t n_item_sections;

const struct item *item_find(const struct item_section *section, const char *name);
bool item_is_list(const struct item *item);
const char *item_type_name(const struct item *item);

/* Checks text as one value of item; the sentence that says what is wrong goes to problem. */
bool item_check(const struct item *item, const char *text, struct buffer *problem);

/* Stores checked texts as the value of item in the section struct at base. */
MUST_USE int item_store(const struct item *item, void *base, const char *const *texts,
                        size_t n_texts, struct arena *arena);
MUST_USE int item_store_default(const struct item *item, void *base, struct arena *arena);

/* The value as the file would say it; secrets become "***". */
void item_print(const struct item *item, const void *base, struct buffer *out);
