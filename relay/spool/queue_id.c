#include "relay/spool/queue_id.h"

#include <stdatomic.h>

#include "relay/base/clock.h"

/* Crockford's digits: nothing that reads like another when a person types it. */
static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

enum { BITS_PER_DIGIT = 5, MILLISECONDS_SHIFT = 9 }; /* 512 ids a millisecond, in the mean */

static _Atomic uint64_t last_id;

uint64_t queue_id_at(int64_t utc_ms)
{
    return (uint64_t)utc_ms << MILLISECONDS_SHIFT;
}

uint64_t queue_id_new(void)
{
    uint64_t now = queue_id_at(clock_utc_ms());
    uint64_t last = atomic_load(&last_id), id;

    do
        id = now > last ? now : last + 1;
    while (!atomic_compare_exchange_weak(&last_id, &last, id));
    return id;
}

void queue_id_seen(uint64_t id)
{
    uint64_t last = atomic_load(&last_id);

    while (id > last && !atomic_compare_exchange_weak(&last_id, &last, id))
        continue;
}

void queue_id_format(uint64_t id, char out[QUEUE_ID_SIZE])
{
    char reversed[QUEUE_ID_SIZE];
    unsigned n = 0;

    do {
        reversed[n++] = digits[id & 31];
        id >>= BITS_PER_DIGIT;
    } while (id);
    for (unsigned i = 0; i < n; i++)
        out[i] = reversed[n - 1 - i];
    out[n] = '\0';
}

static int value_of(char c)
{
    if (c >= 'a' && c <= 'z')
        c = (char)(c - ('a' - 'A'));
    for (int i = 0; i < 32; i++) {
        if (digits[i] == c)
            return i;
    }
    return -1;
}

bool queue_id_parse(struct slice text, uint64_t *out)
{
    uint64_t id = 0;

    if (text.len == 0 || text.len >= QUEUE_ID_SIZE)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.data[i]);

        if (value < 0 || id >> (64 - BITS_PER_DIGIT))
            return false;
        id = id << BITS_PER_DIGIT | (uint64_t)value;
    }
    *out = id;
    return id != 0; /* which would mean "any" */
}
