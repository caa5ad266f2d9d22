#include "relay/control/items.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "relay/control/config.h"
#include "relay/control/forms.h"

#define NEEDS_LIVE    false
#define NEEDS_RESTART true

#define ITEM_ROW(type, name, default_text, bounds, when, help)                                     \
    {#name, default_text, bounds, help, offsetof(ITEM_STRUCT, name), ITEM_##type, NEEDS_##when},

#define ITEM_STRUCT struct settings
static const struct item top_items[] = {SETTINGS_TOP(ITEM_ROW)};
#undef ITEM_STRUCT
#define ITEM_STRUCT struct settings_tls
static const struct item tls_items[] = {SETTINGS_TLS(ITEM_ROW)};
#undef ITEM_STRUCT
#define ITEM_STRUCT struct settings_listen
static const struct item listen_items[] = {SETTINGS_LISTEN(ITEM_ROW)};
#undef ITEM_STRUCT
#define ITEM_STRUCT struct settings_panel
static const struct item panel_items[] = {SETTINGS_PANEL(ITEM_ROW)};
#undef ITEM_STRUCT
#define ITEM_STRUCT struct settings_resolver
static const struct item resolver_items[] = {SETTINGS_RESOLVER(ITEM_ROW)};
#undef ITEM_STRUCT
#define ITEM_STRUCT struct settings_delivery
static const struct item delivery_items[] = {SETTINGS_DELIVERY(ITEM_ROW)};
#undef ITEM_STRUCT
#define ITEM_STRUCT struct settings_route
static const struct item route_items[] = {SETTINGS_ROUTE(ITEM_ROW)};
#undef ITEM_STRUCT
#define ITEM_STRUCT struct settings_destination
static const struct item destination_items[] = {SETTINGS_DESTINATION(ITEM_ROW)};
#undef ITEM_STRUCT
#define ITEM_STRUCT struct settings_egress
static const struct item egress_items[] = {SETTINGS_EGRESS(ITEM_ROW)};
#undef ITEM_STRUCT
#define ITEM_STRUCT struct settings_pool
static const struct item pool_items[] = {SETTINGS_POOL(ITEM_ROW)};
#undef ITEM_STRUCT
#define ITEM_STRUCT struct settings_limits
static const struct item limits_items[] = {SETTINGS_LIMITS(ITEM_ROW)};
#undef ITEM_STRUCT
#define ITEM_STRUCT struct settings_log
static const struct item log_items[] = {SETTINGS_LOG(ITEM_ROW)};
#undef ITEM_STRUCT
#define ITEM_STRUCT struct settings_spool
static const struct item spool_items[] = {SETTINGS_SPOOL(ITEM_ROW)};
#undef ITEM_STRUCT
#define ITEM_STRUCT struct settings_dkim
static const struct item dkim_items[] = {SETTINGS_DKIM(ITEM_ROW)};
#undef ITEM_STRUCT
#define ITEM_STRUCT struct settings_policy
static const struct item policy_items[] = {SETTINGS_POLICY(ITEM_ROW)};
#undef ITEM_STRUCT
#define ITEM_STRUCT struct settings_history
static const struct item history_items[] = {SETTINGS_HISTORY(ITEM_ROW)};
#undef ITEM_STRUCT
#define ITEM_STRUCT struct settings_sandbox
static const struct item sandbox_items[] = {SETTINGS_SANDBOX(ITEM_ROW)};
#undef ITEM_STRUCT

#define COUNT(array)            (sizeof(array) / sizeof((array)[0]))
#define COUNT_OF_TITLED(member) offsetof(struct settings, n_##member)
#define COUNT_OF_ONCE(member)   0
#define IS_TITLED               true
#define IS_ONCE                 false

#define SECTION_ROW(section, member, kind, rows)                                                   \
    {#section,                                                                                     \
     member##_items,                                                                               \
     COUNT(member##_items),                                                                        \
     IS_##kind,                                                                                    \
     offsetof(struct settings, member),                                                            \
     COUNT_OF_##kind(member),                                                                      \
     sizeof(struct settings_##member)},

const struct item_section item_sections[] = {
    {NULL, top_items, COUNT(top_items), false, 0, 0, sizeof(struct settings)},
    SETTINGS_SECTIONS(SECTION_ROW)
};
const size_t n_item_sections = COUNT(item_sections);

static const char *const type_names[] = {
    [ITEM_TEXT] = "text",    [ITEM_SECRET] = "secret", [ITEM_LIST] = "list",
    [ITEM_BOOL] = "boolean", [ITEM_CHOICE] = "choice", [ITEM_NUMBER] = "number",
    [ITEM_SIZE] = "size",    [ITEM_SPAN] = "duration", [ITEM_SPANS] = "durations",
};

const char *item_type_name(const struct item *item)
{
    return type_names[item->type];
}

const struct item *item_find(const struct item_section *section, const char *name)
{
    for (size_t i = 0; i < section->n_items; i++)
        if (strcmp(section->items[i].name, name) == 0)
            return &section->items[i];
    return NULL;
}

bool item_is_list(const struct item *item)
{
    return item->type == ITEM_LIST || item->type == ITEM_SPANS;
}

static bool parse_boolean(const char *text, bool *out)
{
    static const char *const words[][2] = {
        {"true", "false"},
        {"yes",  "no"   },
        {"on",   "off"  }
    };

    for (size_t i = 0; i < COUNT(words); i++) {
        *out = strcmp(text, words[i][0]) == 0;
        if (*out || strcmp(text, words[i][1]) == 0)
            return true;
    }
    return false;
}

static bool parse_plain_number(const char *text, int64_t *out)
{
    uint64_t number;

    if (!slice_to_number(slice_of(text), INT64_MAX, &number))
        return false;
    *out = (int64_t)number;
    return true;
}

static bool parse_quantity(const struct item *item, const char *text, int64_t *out)
{
    if (item->type == ITEM_NUMBER)
        return parse_plain_number(text, out);
    if (item->type == ITEM_SIZE)
        return config_parse_size(text, out);
    return config_parse_span(text, out);
}

static bool is_within(const struct item *item, int64_t value)
{
    char least_text[32], most_text[32];
    int64_t least, most;

    if (sscanf(item->bounds, "%31[^.]..%31s", least_text, most_text) != 2 ||
        !parse_quantity(item, least_text, &least) || !parse_quantity(item, most_text, &most))
        return true;
    return value >= least && value <= most;
}

static bool check_quantity(const struct item *item, const char *text, struct buffer *problem)
{
    static const char *const wanted[] = {
        [ITEM_NUMBER] = "a number",
        [ITEM_SIZE] = "a size such as 50MB",
        [ITEM_SPAN] = "a duration such as 30s, 5m, 4h or 5d",
        [ITEM_SPANS] = "a duration such as 30s, 5m, 4h or 5d",
    };
    int64_t value;

    if (!parse_quantity(item, text, &value)) {
        buffer_printf(problem, "'%s' is not %s", text, wanted[item->type]);
        return false;
    }
    if (!is_within(item, value)) {
        buffer_printf(problem, "'%s' is outside %s", text, item->bounds);
        return false;
    }
    return true;
}

static bool is_choice(const char *choices, const char *text)
{
    struct slice rest = slice_of(choices);

    while (rest.len) {
        ptrdiff_t bar = slice_find(rest, '|');
        struct slice word = bar < 0 ? rest : slice_head(rest, (size_t)bar);

        if (slice_equal(word, slice_of(text)))
            return true;
        rest = slice_skip(rest, bar < 0 ? rest.len : (size_t)bar + 1);
    }
    return false;
}

bool item_check(const struct item *item, const char *text, struct buffer *problem)
{
    bool ignored;

    switch (item->type) {
    case ITEM_TEXT:
    case ITEM_SECRET:
    case ITEM_LIST:
        return form_check(item->bounds, text, problem);
    case ITEM_BOOL:
        if (parse_boolean(text, &ignored))
            return true;
        buffer_printf(problem, "'%s' is not true or false", text);
        return false;
    case ITEM_CHOICE:
        if (is_choice(item->bounds, text))
            return true;
        buffer_printf(problem, "'%s' is not one of %s", text, item->bounds);
        return false;
    case ITEM_NUMBER:
    case ITEM_SIZE:
    case ITEM_SPAN:
    case ITEM_SPANS:
        return check_quantity(item, text, problem);
    }
    return false;
}

static int store_texts(struct text_list *list, const char *const *texts, size_t n_texts,
                       struct arena *arena)
{
    list->items = arena_alloc(arena, (n_texts + 1) * sizeof(*list->items));
    if (!list->items)
        return FAULT(-ENOMEM);
    for (list->n_items = 0; list->n_items < n_texts; list->n_items++) {
        const char *copy = arena_copy(arena, slice_of(texts[list->n_items])).data;

        if (!copy)
            return FAULT(-ENOMEM);
        list->items[list->n_items] = copy;
    }
    return 0;
}

static int store_spans(struct span_list *list, const char *const *texts, size_t n_texts,
                       struct arena *arena)
{
    list->items = arena_alloc(arena, (n_texts + 1) * sizeof(*list->items));
    if (!list->items)
        return FAULT(-ENOMEM);
    for (list->n_items = 0; list->n_items < n_texts; list->n_items++)
        if (!config_parse_span(texts[list->n_items], &list->items[list->n_items]))
            return FAULT(-EINVAL);
    return 0;
}

static int store_text(const char **field, const char *text, struct arena *arena)
{
    *field = arena_copy(arena, slice_of(text)).data;
    return *field ? 0 : FAULT(-ENOMEM);
}

int item_store(const struct item *item, void *base, const char *const *texts, size_t n_texts,
               struct arena *arena)
{
    void *field = (char *)base + item->offset;

    switch (item->type) {
    case ITEM_LIST:
        return store_texts(field, texts, n_texts, arena);
    case ITEM_SPANS:
        return store_spans(field, texts, n_texts, arena);
    case ITEM_TEXT:
    case ITEM_SECRET:
    case ITEM_CHOICE:
        return store_text(field, texts[0], arena);
    case ITEM_BOOL:
        return parse_boolean(texts[0], field) ? 0 : FAULT(-EINVAL);
    case ITEM_NUMBER:
    case ITEM_SIZE:
    case ITEM_SPAN:
        return parse_quantity(item, texts[0], field) ? 0 : FAULT(-EINVAL);
    }
    return FAULT(-EINVAL);
}

int item_store_default(const struct item *item, void *base, struct arena *arena)
{
    char words[128];
    const char *texts[16];
    size_t n_texts = 0;
    char *rest = words, *word;

    if (!item_is_list(item))
        return item_store(item, base, &item->default_text, 1, arena);
    slice_copy_to(slice_of(item->default_text), words, sizeof(words));
    while (n_texts < COUNT(texts) && (word = strsep(&rest, " ")))
        if (*word)
            texts[n_texts++] = word;
    return item_store(item, base, texts, n_texts, arena);
}

static void print_span(struct buffer *out, int64_t ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {
        {'d', 86400000},
        {'h', 3600000 },
        {'m', 60000   }
    };

    for (size_t i = 0; i < COUNT(units); i++)
        if (ms && ms % units[i].ms == 0) {
            buffer_printf(out, "%" PRId64 "%c", ms / units[i].ms, units[i].unit);
            return;
        }
    buffer_printf(out, "%" PRId64 "s", ms / 1000);
}

static void print_size(struct buffer *out, int64_t bytes)
{
    static const struct {
        const char *unit;
        int64_t bytes;
    } units[] = {
        {"GB", 1000000000},
        {"MB", 1000000   },
        {"KB", 1000      }
    };

    for (size_t i = 0; i < COUNT(units); i++)
        if (bytes && bytes % units[i].bytes == 0) {
            buffer_printf(out, "%" PRId64 "%s", bytes / units[i].bytes, units[i].unit);
            return;
        }
    buffer_printf(out, "%" PRId64, bytes);
}

static void print_texts(struct buffer *out, const struct text_list *list)
{
    for (size_t i = 0; i < list->n_items; i++)
        buffer_printf(out, "%s%s", i ? " " : "", list->items[i]);
}

static void print_spans(struct buffer *out, const struct span_list *list)
{
    for (size_t i = 0; i < list->n_items; i++) {
        if (i)
            buffer_append_byte(out, ' ');
        print_span(out, list->items[i]);
    }
}

void item_print(const struct item *item, const void *base, struct buffer *out)
{
    const void *field = (const char *)base + item->offset;

    switch (item->type) {
    case ITEM_LIST:
        print_texts(out, field);
        break;
    case ITEM_SPANS:
        print_spans(out, field);
        break;
    case ITEM_TEXT:
    case ITEM_CHOICE:
        buffer_append_text(out, *(const char *const *)field);
        break;
    case ITEM_SECRET:
        buffer_append_text(out, **(const char *const *)field ? "***" : "");
        break;
    case ITEM_BOOL:
        buffer_append_text(out, *(const bool *)field ? "true" : "false");
        break;
    case ITEM_NUMBER:
        buffer_printf(out, "%" PRId64, *(const int64_t *)field);
        break;
    case ITEM_SIZE:
        print_size(out, *(const int64_t *)field);
        break;
    case ITEM_SPAN:
        print_span(out, *(const int64_t *)field);
        break;
    }
}
