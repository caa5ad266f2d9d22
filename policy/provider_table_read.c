/* providers.conf: blocks that begin with `provider NAME`. */
#include <errno.h>

#include "policy/provider_table.h"
#include "relay/base/secret.h"

enum { MOST_NAMES = 100 };

struct name_list {
    struct slice names[MOST_NAMES];
    size_t n;
};

struct reading {
    struct data_reader reader;
    struct arena *arena;
    struct provider_table *table;
    struct provider_entry entry; /* the block being read */
    struct name_list mx, not_mx, domains;
    bool is_open, has_no_memory;
};

/* What is wrong with a host name or a suffix, or NULL. */
static const char *fault_of(struct slice name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    char before = '\0';

    if (name.len > 0 && name.data[name.len - 1] == '.')
        return "ends with a dot, which no host name does here: it would never match";
    if (name.len < 2 || name.len > 253 || slice_find(slice_skip(name, 1), '.') < 0)
        return "is no host name and no suffix with a leading dot";
    for (size_t i = 0; i < name.len; before = name.data[i++]) {
        if (!strchr(letters, name.data[i]) || !name.data[i])
            return "has a character that no host name has (small letters, as DNS is compared)";
        if (name.data[i] == '.' && before == '.')
            return "has an empty label";
    }
    return NULL;
}

static struct slice keep(struct reading *reading, struct slice text)
{
    struct slice copy = arena_copy(reading->arena, text);

    if (!copy.data)
        reading->has_no_memory = true;
    return copy;
}

static void read_names(struct reading *reading, struct name_list *list)
{
    struct slice rest = reading->reader.line.value, name;

    while ((name = data_take_word(&rest)).len > 0) {
        const char *fault = fault_of(name);

        if (fault)
            data_problem(&reading->reader, "%.*s %s", (int)name.len, name.data, fault);
        else if (list->n == MOST_NAMES)
            data_problem(&reading->reader, "more than %d names", MOST_NAMES);
        else
            list->names[list->n++] = keep(reading, name);
    }
}

static void read_rate(struct reading *reading)
{
    struct provider_limits *limits = &reading->entry.limits;
    const struct data_rate_places places = {
        .second = &limits->messages_per_second,
        .minute = &limits->messages_per_minute,
        .hour = &limits->messages_per_hour,
        .day = &limits->messages_per_day,
    };
    struct slice rest = reading->reader.line.value, word;

    while ((word = data_take_word(&rest)).len > 0) {
        if (!data_read_rate_to(word, &places)) {
            data_problem(&reading->reader, "a rate is N/s, N/m, N/h or N/d");
            return;
        }
    }
}

static void read_connection_rate(struct reading *reading)
{
    uint32_t n, window_s;

    if (data_read_rate(reading->reader.line.value, &n, &window_s) && window_s == 60)
        reading->entry.limits.connections_per_minute = n;
    else
        data_problem(&reading->reader, "a connection rate is N/m");
}

static void read_count(struct reading *reading, uint32_t *out)
{
    if (!data_read_count(reading->reader.line.value, out))
        data_problem(&reading->reader, "a number from 1 to 1000000 is wanted");
}

static void read_span(struct reading *reading, int64_t *out)
{
    if (!data_read_span(reading->reader.line.value, out))
        data_problem(&reading->reader, "a time is N and s, m, h or d, up to 30d");
}

static void read_tls(struct reading *reading)
{
    struct slice value = reading->reader.line.value;

    reading->entry.limits.tls_required = slice_equal(value, SLICE_LITERAL("required"));
    if (!reading->entry.limits.tls_required && !slice_equal(value, SLICE_LITERAL("may")))
        data_problem(&reading->reader, "tls is may or required");
}

static void read_mx(struct reading *reading)
{
    read_names(reading, &reading->mx);
}

static void read_not_mx(struct reading *reading)
{
    read_names(reading, &reading->not_mx);
}

static void read_domains(struct reading *reading)
{
    read_names(reading, &reading->domains);
}

#define COUNT_READER(member)                                                                       \
    static void read_##member(struct reading *reading)                                             \
    {                                                                                              \
        read_count(reading, &reading->entry.limits.member);                                        \
    }
COUNT_READER(connections)
COUNT_READER(address_connections)
COUNT_READER(connection_messages)
COUNT_READER(transaction_recipients)

static void read_idle(struct reading *reading)
{
    read_span(reading, &reading->entry.limits.idle_ms);
}

static void read_dot_timeout(struct reading *reading)
{
    read_span(reading, &reading->entry.limits.dot_timeout_ms);
}

static void read_note(struct reading *reading)
{
    (void)reading; /* for people */
}

static const struct slice *copy_names(struct reading *reading, const struct name_list *list)
{
    struct slice *names = arena_alloc(reading->arena, (list->n + 1) * sizeof(*names));

    if (names)
        memcpy(names, list->names, list->n * sizeof(*names));
    else
        reading->has_no_memory = true;
    return names;
}

static void add_mixed(struct reading *reading)
{
    struct provider_entry *mixed = arena_alloc(reading->arena, sizeof(*mixed));

    if (reading->mx.n + reading->not_mx.n + reading->domains.n > 0)
        data_problem_at(&reading->reader, reading->entry.line,
                        "mixed is what belongs to no provider: it has no mx and no domain");
    if (mixed)
        *mixed = reading->entry;
    else
        reading->has_no_memory = true;
    reading->table->mixed = mixed;
}

static void add_entry(struct reading *reading)
{
    struct provider_table *table = reading->table;

    if (reading->mx.n + reading->domains.n == 0)
        data_problem_at(&reading->reader, reading->entry.line,
                        "provider %.*s: no mx and no domain, so nothing is theirs",
                        (int)reading->entry.name.len, reading->entry.name.data);
    else if (table->n_entries == PROVIDER_MOST)
        data_problem_at(&reading->reader, reading->entry.line, "more than %d providers",
                        PROVIDER_MOST);
    else {
        reading->entry.index = (uint16_t)table->n_entries;
        table->entries[table->n_entries++] = reading->entry;
    }
}

static void close_block(struct reading *reading)
{
    struct provider_entry *entry = &reading->entry;

    if (!reading->is_open)
        return;
    reading->is_open = false;
    entry->mx = copy_names(reading, &reading->mx);
    entry->n_mx = reading->mx.n;
    entry->not_mx = copy_names(reading, &reading->not_mx);
    entry->n_not_mx = reading->not_mx.n;
    entry->domains = copy_names(reading, &reading->domains);
    entry->n_domains = reading->domains.n;
    if (reading->has_no_memory)
        return;
    if (slice_equal(entry->name, SLICE_LITERAL("mixed")))
        add_mixed(reading);
    else
        add_entry(reading);
}

static bool is_taken(const struct reading *reading, struct slice name)
{
    if (slice_equal(name, SLICE_LITERAL("mixed")))
        return reading->table->mixed != NULL;
    return provider_table_named(reading->table, name) != NULL;
}

static void open_block(struct reading *reading)
{
    struct slice name = reading->reader.line.value;

    close_block(reading);
    reading->mx.n = reading->not_mx.n = reading->domains.n = 0;
    reading->entry = (struct provider_entry){
        .name = keep(reading, name), .hash = table_hash(name), .line = reading->reader.line.number};
    reading->is_open = true;
    if (!data_is_name(name, PROVIDER_NAME_MOST))
        data_problem(&reading->reader, "a provider's name is of a-z, 0-9 and -, %d at most",
                     PROVIDER_NAME_MOST);
    else if (is_taken(reading, name))
        data_problem(&reading->reader, "provider %.*s: a second one of this name", (int)name.len,
                     name.data);
}

static void read_line(struct reading *reading)
{
    static const struct {
        const char *word;
        void (*read)(struct reading *reading);
    } words[] = {
        {"mx",                     read_mx                    },
        {"not_mx",                 read_not_mx                },
        {"domain",                 read_domains               },
        {"connections",            read_connections           },
        {"address_connections",    read_address_connections   },
        {"connection_messages",    read_connection_messages   },
        {"connection_rate",        read_connection_rate       },
        {"rate",                   read_rate                  },
        {"transaction_recipients", read_transaction_recipients},
        {"idle",                   read_idle                  },
        {"dot_timeout",            read_dot_timeout           },
        {"tls",                    read_tls                   },
        {"note",                   read_note                  },
    };
    struct slice word = reading->reader.line.word;

    if (slice_equal(word, SLICE_LITERAL("provider"))) {
        open_block(reading);
        return;
    }
    for (size_t i = 0; reading->is_open && i < sizeof(words) / sizeof(words[0]); i++) {
        if (slice_equal(word, slice_of(words[i].word))) {
            words[i].read(reading);
            return;
        }
    }
    data_problem(&reading->reader,
                 reading->is_open ? "no such word: %.*s" : "%.*s before the first provider",
                 (int)word.len, word.data);
}

/* True when a host that fits b also fits a. */
static bool covers(struct slice a, struct slice b)
{
    if (slice_equal(a, b))
        return true;
    return a.len && a.data[0] == '.' && b.len > a.len && slice_ends_with_ignoring_case(b, a);
}

static bool is_excepted(const struct provider_entry *entry, struct slice name)
{
    for (size_t i = 0; i < entry->n_not_mx; i++)
        if (covers(entry->not_mx[i], name))
            return true;
    return false;
}

static bool claims(const struct provider_entry *entry, struct slice name, bool is_domain)
{
    const struct slice *mine = is_domain ? entry->domains : entry->mx;
    size_t n = is_domain ? entry->n_domains : entry->n_mx;

    for (size_t i = 0; i < n; i++)
        if (covers(mine[i], name))
            return is_domain || !is_excepted(entry, name);
    return false;
}

static void check_claim(struct reading *reading, const struct provider_entry *entry,
                        struct slice name, bool is_domain)
{
    for (size_t i = 0; i < reading->table->n_entries; i++) {
        const struct provider_entry *other = &reading->table->entries[i];

        if (other != entry && claims(other, name, is_domain))
            data_problem_at(&reading->reader, entry->line,
                            "provider %.*s: %.*s already belongs to %.*s", (int)entry->name.len,
                            entry->name.data, (int)name.len, name.data, (int)other->name.len,
                            other->name.data);
    }
}

/* Nobody's name may also be somebody else's: the order of the file would decide in silence. */
static void check_claims(struct reading *reading)
{
    for (size_t i = 0; i < reading->table->n_entries; i++) {
        const struct provider_entry *entry = &reading->table->entries[i];

        for (size_t k = 0; k < entry->n_mx; k++)
            check_claim(reading, entry, entry->mx[k], false);
        for (size_t k = 0; k < entry->n_domains; k++)
            check_claim(reading, entry, entry->domains[k], true);
    }
}

int provider_table_read(struct provider_table *out, const struct data_file *file,
                        struct arena *arena, struct buffer *problem)
{
    struct provider_table table = {0};
    struct reading *reading = calloc(1, sizeof(*reading));
    int error;

    table.entries = arena_alloc(arena, PROVIDER_MOST * sizeof(*table.entries));
    if (!reading || !table.entries) {
        free(reading);
        return FAULT(-ENOMEM);
    }
    reading->arena = arena;
    reading->table = &table;
    data_reader_init(&reading->reader, file, problem);
    while (data_reader_next(&reading->reader))
        read_line(reading);
    close_block(reading);
    if (!reading->has_no_memory)
        check_claims(reading);
    error = data_reader_result(&reading->reader, reading->has_no_memory ? FAULT(-ENOMEM) : 0);
    free(reading);
    if (error == 0)
        *out = table;
    return error;
}
