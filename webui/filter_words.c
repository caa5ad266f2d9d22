#include "webui/filter_words.h"

static const char *const state_names[N_FILTER_STATES] = {
    [FILTER_QUEUED] = "queued",   [FILTER_SENDING] = "sending",     [FILTER_DEFERRED] = "deferred",
    [FILTER_HELD] = "held",       [FILTER_DELIVERED] = "delivered", [FILTER_BOUNCED] = "bounced",
    [FILTER_EXPIRED] = "expired", [FILTER_DELETED] = "deleted",
};

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit span_units[] = {
    {"s",  1000    },
    {"m",  60000   },
    {"h",  3600000 },
    {"d",  86400000},
    {NULL, 0       }
};

static const struct unit size_units[] = {
    {"",   1         },
    {"k",  1000      },
    {"kb", 1000      },
    {"m",  1000000   },
    {"mb", 1000000   },
    {"g",  1000000000},
    {"gb", 1000000000},
    {NULL, 0         }
};

const char *filter_state_name(enum filter_state state)
{
    return state_names[state];
}

static bool parse_quantity(struct slice text, const struct unit *units, int64_t *out)
{
    enum { MOST = 1000000 };
    size_t n_digits = 0;
    uint64_t number;

    while (n_digits < text.len && text.data[n_digits] >= '0' && text.data[n_digits] <= '9')
        n_digits++;
    if (!slice_to_number(slice_head(text, n_digits), MOST, &number) || number == 0)
        return false;
    for (; units->name; units++) {
        if (slice_equal_ignoring_case(slice_skip(text, n_digits), slice_of(units->name))) {
            *out = (int64_t)number * units->factor;
            return true;
        }
    }
    return false;
}

/* ---- values ---- */

static bool take_text(struct slice value, void *place)
{
    *(struct slice *)place = value;
    return true;
}

static bool take_span(struct slice value, void *place)
{
    return parse_quantity(value, span_units, place);
}

static bool take_size(struct slice value, void *place)
{
    if (slice_starts_with(value, SLICE_LITERAL(">")))
        value = slice_skip(value, 1);
    return parse_quantity(value, size_units, place);
}

static bool take_state(struct slice name, unsigned *states)
{
    for (unsigned i = 0; i < N_FILTER_STATES; i++) {
        if (slice_equal(name, slice_of(state_names[i]))) {
            *states |= 1U << i;
            return true;
        }
    }
    return false;
}

/* state:deferred,held */
static bool take_states(struct slice value, void *place)
{
    while (value.len) {
        ptrdiff_t comma = slice_find(value, ',');
        struct slice name = comma < 0 ? value : slice_head(value, (size_t)comma);

        if (!take_state(name, place))
            return false;
        if (comma >= 0 && (size_t)comma + 1 == value.len)
            return false;
        value = slice_skip(value, comma < 0 ? value.len : (size_t)comma + 1);
    }
    return true;
}

static const struct filter_name {
    const char *name;
    size_t offset;
    bool (*take)(struct slice value, void *place);
    const char *problem;
} names[] = {
    {"to",       offsetof(struct filter_words, to),          take_text,   ""            },
    {"from",     offsetof(struct filter_words, from),        take_text,   ""            },
    {"user",     offsetof(struct filter_words, user),        take_text,   ""            },
    {"dest",     offsetof(struct filter_words, dest),        take_text,   ""            },
    {"msgid",    offsetof(struct filter_words, msgid),       take_text,   ""            },
    {"reply",    offsetof(struct filter_words, reply),       take_text,   ""            },
    {"campaign", offsetof(struct filter_words, campaign),    take_text,   ""            },
    {"state",    offsetof(struct filter_words, states),      take_states,
     "States are queued, sending, deferred, held, delivered, bounced, expired, deleted."},
    {"older",    offsetof(struct filter_words, older_ms),    take_span,
     "Older than a number and s, m, h or d, as older:2h."                               },
    {"size",     offsetof(struct filter_words, larger_than), take_size,
     "Larger than a number and k, M or G, as size:2M."                                  },
};

enum { N_NAMES = sizeof(names) / sizeof(names[0]) };

static int find_name(struct slice name)
{
    for (unsigned i = 0; i < N_NAMES; i++)
        if (slice_equal_ignoring_case(name, slice_of(names[i].name)))
            return (int)i;
    return -1;
}

/* ---- words ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The value at the start of rest, with its quotes in *length; false: a quote does not end. */
static bool read_value(struct slice rest, struct slice *value, size_t *length)
{
    size_t len = 0;

    if (rest.len && rest.data[0] == '"') {
        ptrdiff_t end = slice_find(slice_skip(rest, 1), '"');

        if (end < 0)
            return false;
        *value = slice_head(slice_skip(rest, 1), (size_t)end);
        *length = (size_t)end + 2;
        return *length == rest.len || is_blank(rest.data[*length]);
    }
    while (len < rest.len && !is_blank(rest.data[len])) {
        if (rest.data[len] == '"')
            return false;
        len++;
    }
    *value = slice_head(rest, len);
    *length = len;
    return true;
}

/* The length of a name and its colon at the start of word, 0: it has none. */
static size_t name_length(struct slice word)
{
    size_t len = 0;

    while (len < word.len && ((word.data[len] >= 'a' && word.data[len] <= 'z') ||
                              (word.data[len] >= 'A' && word.data[len] <= 'Z')))
        len++;
    return len && len < word.len && word.data[len] == ':' ? len + 1 : 0;
}

static const char *take(struct slice name, struct slice value, struct filter_words *out,
                        unsigned *seen)
{
    int which = name.len ? find_name(slice_head(name, name.len - 1)) : N_NAMES;

    if (which < 0)
        return "There is no such word; in quotes it is searched for as text.";
    if (value.len == 0)
        return "Something to search for is missing.";
    if (*seen & 1U << which)
        return "This word stands there twice.";
    *seen |= 1U << which;
    if (which == N_NAMES) {
        out->text = value;
        return NULL;
    }
    return names[which].take(value, (char *)out + names[which].offset) ? NULL
                                                                       : names[which].problem;
}

static size_t word_length(struct slice rest)
{
    size_t len = 0;

    while (len < rest.len && !is_blank(rest.data[len]))
        len++;
    return len;
}

bool filter_words_parse(struct slice text, struct filter_words *out, struct filter_problem *problem)
{
    struct slice rest = text, value;
    unsigned seen = 0;

    *out = (struct filter_words){0};
    *problem = (struct filter_problem){0, text.len, "The filter is too long."};
    if (text.len > FILTER_MOST_BYTES)
        return false;
    for (;;) {
        size_t prefix, length;

        while (rest.len && is_blank(rest.data[0]))
            rest = slice_skip(rest, 1);
        if (rest.len == 0)
            return true;
        prefix = name_length(rest);
        *problem = (struct filter_problem){text.len - rest.len, word_length(rest),
                                           "A quotation mark stands alone."};
        if (!read_value(slice_skip(rest, prefix), &value, &length))
            return false;
        problem->detail = take(slice_head(rest, prefix), value, out, &seen);
        if (problem->detail)
            return false;
        rest = slice_skip(rest, prefix + length);
    }
}

bool filter_is_empty(const struct filter_words *words)
{
    return !(words->to.len || words->from.len || words->user.len || words->dest.len ||
             words->msgid.len || words->reply.len || words->campaign.len || words->text.len ||
             words->states || words->older_ms || words->larger_than);
}
