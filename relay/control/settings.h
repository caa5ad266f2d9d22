/* The settings as one immutable, counted value, made from the file's text by config.h.  Modules
 * never see it whole: main.c gives each its own small struct.  Spans are in milliseconds, sizes in
 * bytes; texts live as long as the settings.  Thread: any; ref and unref are atomic. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "relay/base/arena.h"
#include "relay/control/config_items.h"

struct text_list {
    const char **items;
    size_t n_items;
};

struct span_list {
    int64_t *items; /* milliseconds */
    size_t n_items;
};

#define SETTING_FIELD_TEXT(name)   const char *name;
#define SETTING_FIELD_SECRET(name) const char *name;
#define SETTING_FIELD_LIST(name)   struct text_list name;
#define SETTING_FIELD_BOOL(name)   bool name;
#define SETTING_FIELD_CHOICE(name) const char *name; /* one of the row's words */
#define SETTING_FIELD_NUMBER(name) int64_t name;
#define SETTING_FIELD_SIZE(name)   int64_t name;
#define SETTING_FIELD_SPAN(name)   int64_t name;
#define SETTING_FIELD_SPANS(name)  struct span_list name;

#define SETTING_FIELD(type, name, default_text, bounds, when, help) SETTING_FIELD_##type(name)
#define SETTING_STRUCT(section, member, kind, rows)                                                \
    struct settings_##member {                                                                     \
        const char *title; /* of a titled section */                                               \
        rows(SETTING_FIELD)                                                                        \
    };
SETTINGS_SECTIONS(SETTING_STRUCT)

#define SETTING_MEMBER_TITLED(member)                                                              \
    struct settings_##member *member;                                                              \
    size_t n_##member;
#define SETTING_MEMBER_ONCE(member)                 struct settings_##member member;
#define SETTING_MEMBER(section, member, kind, rows) SETTING_MEMBER_##kind(member)

struct settings {
    SETTINGS_TOP(SETTING_FIELD)
    SETTINGS_SECTIONS(SETTING_MEMBER)
    struct arena arena;
    _Atomic unsigned n_references;
};

struct settings *settings_ref(struct settings *settings);
struct settings *settings_unref(struct settings *settings); /* returns NULL; accepts NULL */

/* One setting as `config show` prints it.  Secrets come as "***". */
struct setting_view {
    const char *section, *title; /* NULL at the top; NULL when untitled */
    const char *name, *value, *default_value, *type, *bounds, *help;
    bool is_changed; /* differs from the default */
    bool needs_restart;
};

/* Calls visit for every setting, in the table's order. */
void settings_walk(const struct settings *settings,
                   void (*visit)(void *owner, const struct setting_view *view), void *owner);

/* Names the first setting that a reload from before to after cannot change, or NULL. */
const char *settings_need_restart(const struct settings *before, const struct settings *after);
