#include "relay/cli/sink_tally.h"

#include <stdlib.h>
#include <string.h>

enum { N_BUCKETS = 4096 };

struct mark {
    struct mark *next; /* of its bucket */
    uint64_t n_counted;
    int64_t *times_ms; /* of the last n, a ring */
    int64_t first_ms;
    char key[];
};

struct sink_tally {
    struct mark *buckets[N_BUCKETS];
};

/* FNV-1a */
static size_t bucket_of(const char *key)
{
    uint32_t hash = 2166136261U;

    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619U;
    return hash % N_BUCKETS;
}

static struct mark *mark_new(struct mark **bucket, const char *key, int64_t now_ms)
{
    size_t size = strlen(key) + 1;
    struct mark *mark = malloc(sizeof(*mark) + size);

    if (!mark)
        return NULL;
    *mark = (struct mark){.next = *bucket, .first_ms = now_ms};
    memcpy(mark->key, key, size);
    *bucket = mark;
    return mark;
}

static struct mark *find(struct sink_tally **tally, const char *key, int64_t now_ms)
{
    struct mark **bucket;

    if (!*tally)
        *tally = calloc(1, sizeof(**tally));
    if (!*tally)
        return NULL;
    bucket = &(*tally)->buckets[bucket_of(key)];
    for (struct mark *mark = *bucket; mark; mark = mark->next) {
        if (strcmp(mark->key, key) == 0)
            return mark;
    }
    return mark_new(bucket, key, now_ms);
}

bool sink_tally_admit(struct sink_tally **tally, const char *key, uint32_t n, int64_t window_ms,
                      int64_t now_ms)
{
    struct mark *mark = find(tally, key, now_ms);
    int64_t *slot;

    if (mark && !mark->times_ms)
        mark->times_ms = calloc(n, sizeof(*mark->times_ms));
    if (!mark || !mark->times_ms)
        return true;
    slot = &mark->times_ms[mark->n_counted % n]; /* of the n-th last */
    if (mark->n_counted >= n && now_ms - *slot < window_ms)
        return false;
    *slot = now_ms;
    mark->n_counted++;
    return true;
}

int64_t sink_tally_first_ms(struct sink_tally **tally, const char *key, int64_t now_ms)
{
    const struct mark *mark = find(tally, key, now_ms);

    return mark ? mark->first_ms : now_ms;
}

struct sink_tally *sink_tally_free(struct sink_tally *tally)
{
    for (size_t i = 0; tally && i < N_BUCKETS; i++) {
        for (struct mark *mark = tally->buckets[i], *next; mark; mark = next) {
            next = mark->next;
            free(mark->times_ms);
            free(mark);
        }
    }
    free(tally);
    return NULL;
}
