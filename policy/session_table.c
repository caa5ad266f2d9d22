#include "policy/session_table.h"

#include "relay/base/list.h"
#include "relay/base/secret.h"

struct count {
    struct key_entry entry;
    uint32_t n;
};

void session_table_fini(struct session_table *table)
{
    struct key_entry *entry;

    while ((entry = key_table_take_any(&table->counts)))
        free(CONTAINER_OF(entry, struct count, entry));
    key_table_fini(&table->counts);
}

static uint64_t key_of(uint8_t kind, const void *bytes, size_t len)
{
    char tagged[1 + 16] = {(char)kind};

    memcpy(tagged + 1, bytes, len);
    return table_hash(slice_from(tagged, sizeof(tagged))) | 1; /* never 0, which means none */
}

static uint64_t key_of_address(struct ip_address peer)
{
    struct ip_address counted = ip_counted_as(peer);

    return key_of((uint8_t)counted.family, counted.bytes, sizeof(counted.bytes));
}

static uint64_t key_of_user(uint32_t user_id)
{
    return key_of('u', &user_id, sizeof(user_id));
}

static struct count *find_count(const struct session_table *table, uint64_t key)
{
    struct key_entry *entry = key_table_find(&table->counts, key);

    return entry ? CONTAINER_OF(entry, struct count, entry) : NULL;
}

enum raise { RAISED, TOO_MANY, NO_MEMORY };

static enum raise raise_count(struct session_table *table, uint64_t key, uint32_t most)
{
    struct count *count = find_count(table, key);

    if (count && most && count->n >= most)
        return TOO_MANY;
    if (!count) {
        count = calloc(1, sizeof(*count));
        if (!count)
            return NO_MEMORY;
        count->entry.key = key;
        if (key_table_add(&table->counts, &count->entry) != 0) {
            free(count);
            return NO_MEMORY;
        }
    }
    count->n++;
    return RAISED;
}

static void lower_count(struct session_table *table, uint64_t key)
{
    struct count *count = find_count(table, key);

    if (!count || --count->n > 0)
        return;
    key_table_remove(&table->counts, &count->entry);
    free(count);
}

enum session_verdict session_table_open(struct session_table *table, struct ip_address peer,
                                        uint64_t *address_key)
{
    uint64_t key = key_of_address(peer);

    if (table->limits.in_all && table->n_open >= table->limits.in_all)
        return SESSION_TOO_MANY;
    switch (raise_count(table, key, table->limits.per_address)) {
    case TOO_MANY:
        return SESSION_TOO_MANY_OF_ADDRESS;
    case NO_MEMORY:
        return SESSION_TOO_MANY;
    case RAISED:
        break;
    }
    table->n_open++;
    *address_key = key;
    return SESSION_OK;
}

enum session_verdict session_table_use(struct session_table *table, uint32_t user_id, uint32_t most,
                                       uint64_t *user_key)
{
    uint64_t key = key_of_user(user_id);

    if (raise_count(table, key, most ? most : table->limits.per_user) != RAISED)
        return SESSION_TOO_MANY_OF_USER;
    *user_key = key;
    return SESSION_OK;
}

void session_table_close(struct session_table *table, uint64_t address_key, uint64_t user_key)
{
    table->n_open--;
    lower_count(table, address_key);
    if (user_key)
        lower_count(table, user_key);
}

uint32_t session_table_of_user(const struct session_table *table, uint32_t user_id)
{
    const struct count *count = find_count(table, key_of_user(user_id));

    return count ? count->n : 0;
}
