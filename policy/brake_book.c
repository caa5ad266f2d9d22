#include "policy/brake_book.h"

#include <errno.h>
#include <string.h>

#include "relay/base/list.h"
#include "relay/base/secret.h"

enum { BUCKETS = 13, BUCKET_MS = 5 * 60 * 1000, HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS };

struct receiver {
    uint32_t hash; /* 0: free */
    uint32_t n_concluded, n_bad;
};

struct bucket {
    int64_t number; /* UTC in BUCKET_MS */
    uint32_t n_accepted, n_concluded, n_bad;
    struct receiver receivers[BRAKE_RECEIVERS];
};

struct known_network {
    uint64_t network;
    int64_t first_utc_ms, last_utc_ms;
};

struct watch {
    struct key_entry entry; /* by user */
    bool is_pulled;
    uint32_t n_networks, networks_size;
    struct known_network *networks;
    int64_t since_utc_ms; /* the user's own history begins here */
    struct bucket buckets[BUCKETS];
};

const char *brake_cause_name(enum brake_cause cause)
{
    static const char *const names[] = {
        [BRAKE_NOT] = "none", [BRAKE_BAD_MAILBOXES] = "bad_mailboxes", [BRAKE_LOGINS] = "logins"};

    return names[cause];
}

void brake_book_init(struct brake_book *book, int64_t utc_ms)
{
    *book = (struct brake_book){.since_utc_ms = utc_ms};
}

void brake_book_fini(struct brake_book *book)
{
    struct key_entry *entry;

    while ((entry = key_table_take_any(&book->watches))) {
        struct watch *watch = CONTAINER_OF(entry, struct watch, entry);

        free(watch->networks);
        free(watch);
    }
    key_table_fini(&book->watches);
}

static struct watch *find_watch(const struct brake_book *book, uint32_t user_id)
{
    struct key_entry *entry = key_table_find(&book->watches, user_id);

    return entry ? CONTAINER_OF(entry, struct watch, entry) : NULL;
}

static struct watch *make_watch(struct brake_book *book, uint32_t user_id)
{
    struct watch *watch = find_watch(book, user_id);

    if (watch)
        return watch;
    watch = calloc(1, sizeof(*watch));
    if (!watch)
        return NULL;
    watch->entry.key = user_id;
    if (key_table_add(&book->watches, &watch->entry) == 0)
        return watch;
    free(watch);
    return NULL;
}

/* ---- the hour ---- */

static struct bucket *bucket_at(struct watch *watch, int64_t utc_ms)
{
    int64_t number = utc_ms / BUCKET_MS;
    struct bucket *bucket = &watch->buckets[number % BUCKETS];

    if (bucket->number != number)
        *bucket = (struct bucket){.number = number};
    return bucket;
}

static struct bucket sum_of_hour(const struct watch *watch, int64_t utc_ms)
{
    int64_t newest = utc_ms / BUCKET_MS;
    struct bucket sum = {0};

    for (unsigned i = 0; i < BUCKETS; i++) {
        const struct bucket *bucket = &watch->buckets[i];

        if (bucket->number > newest || newest - bucket->number >= BUCKETS)
            continue;
        sum.n_accepted += bucket->n_accepted;
        sum.n_concluded += bucket->n_concluded;
        sum.n_bad += bucket->n_bad;
    }
    return sum;
}

/* ---- receivers ---- */

static void note_receiver(struct bucket *bucket, const struct brake_conclusions *what)
{
    uint32_t hash = (uint32_t)table_hash_ignoring_case(what->receiver) | 1;
    struct receiver *least = &bucket->receivers[0];

    for (int i = 0; i < BRAKE_RECEIVERS; i++) {
        struct receiver *receiver = &bucket->receivers[i];

        if (receiver->hash == hash) {
            least = receiver;
            break;
        }
        if (receiver->n_bad < least->n_bad || (least->hash && !receiver->hash))
            least = receiver;
    }
    if (least->hash != hash)
        *least = (struct receiver){.hash = hash};
    least->n_concluded += what->n_concluded;
    least->n_bad += what->n_bad;
}

/* Of the buckets from the first on: all of this receiver, which is taken out. */
static struct receiver take_receiver(struct bucket *buckets, unsigned first, uint32_t hash)
{
    struct receiver sum = {.hash = hash};

    for (unsigned i = first; i < BUCKETS; i++)
        for (int k = 0; k < BRAKE_RECEIVERS; k++)
            if (buckets[i].receivers[k].hash == hash) {
                sum.n_concluded += buckets[i].receivers[k].n_concluded;
                sum.n_bad += buckets[i].receivers[k].n_bad;
                buckets[i].receivers[k] = (struct receiver){0};
            }
    return sum;
}

/* What one receiver adds beyond its share of the needed n, when it had less than half of the mail.
 */
static uint32_t excess_of(const struct receiver *receiver, uint32_t n_needed, uint32_t n_recipients)
{
    uint32_t n = receiver->n_concluded > receiver->n_bad ? receiver->n_concluded : receiver->n_bad;
    uint32_t share = (n_needed + 1) / 2;

    return (uint64_t)n * 2 >= n_recipients || receiver->n_bad <= share ? 0
                                                                       : receiver->n_bad - share;
}

static uint32_t count_excess(const struct watch *watch, int64_t utc_ms, uint32_t n_needed,
                             uint32_t n_recipients)
{
    int64_t newest = utc_ms / BUCKET_MS;
    struct bucket buckets[BUCKETS];
    uint32_t n = 0;

    memcpy(buckets, watch->buckets, sizeof(buckets));
    for (unsigned i = 0; i < BUCKETS; i++) {
        if (buckets[i].number > newest || newest - buckets[i].number >= BUCKETS)
            memset(buckets[i].receivers, 0, sizeof(buckets[i].receivers));
    }
    for (unsigned i = 0; i < BUCKETS; i++)
        for (int k = 0; k < BRAKE_RECEIVERS; k++)
            if (buckets[i].receivers[k].hash) {
                struct receiver sum = take_receiver(buckets, i, buckets[i].receivers[k].hash);

                n += excess_of(&sum, n_needed, n_recipients);
            }
    return n;
}

/* ---- networks ---- */

uint64_t brake_network_of(struct ip_address peer)
{
    uint64_t network = 0;
    unsigned n_bytes = peer.family == AF_INET6 ? 6 : 3;

    for (unsigned i = 0; i < n_bytes; i++)
        network = network << 8 | peer.bytes[i];
    return network | (uint64_t)n_bytes << 48;
}

static void forget_old(struct watch *watch, int64_t utc_ms)
{
    uint32_t n_kept = 0;

    for (uint32_t i = 0; i < watch->n_networks; i++)
        if (watch->networks[i].last_utc_ms + (int64_t)BRAKE_HISTORY_DAYS * DAY_MS > utc_ms)
            watch->networks[n_kept++] = watch->networks[i];
    watch->n_networks = n_kept;
}

static struct known_network *find_network(struct watch *watch, uint64_t network)
{
    for (uint32_t i = 0; i < watch->n_networks; i++)
        if (watch->networks[i].network == network)
            return &watch->networks[i];
    return NULL;
}

static struct known_network *least_recent(struct watch *watch)
{
    struct known_network *oldest = &watch->networks[0];

    for (uint32_t i = 1; i < watch->n_networks; i++)
        if (watch->networks[i].last_utc_ms < oldest->last_utc_ms)
            oldest = &watch->networks[i];
    return oldest;
}

/* Room for one more; NULL without memory. */
static struct known_network *add_network(struct watch *watch)
{
    uint32_t size = watch->networks_size ? watch->networks_size * 2 : 4;
    struct known_network *networks;

    if (watch->n_networks == BRAKE_MOST_NETWORKS)
        return least_recent(watch);
    if (watch->n_networks == watch->networks_size) {
        networks = reallocarray(watch->networks, size, sizeof(*networks));
        if (!networks)
            return NULL;
        watch->networks = networks;
        watch->networks_size = size;
    }
    return &watch->networks[watch->n_networks++];
}

static void count_networks(const struct watch *watch, int64_t utc_ms, uint32_t *n_new,
                           uint32_t *n_known)
{
    *n_new = *n_known = 0;
    for (uint32_t i = 0; i < watch->n_networks; i++) {
        if (watch->networks[i].first_utc_ms + HOUR_MS > utc_ms)
            ++*n_new;
        else
            ++*n_known;
    }
}

/* ---- judging ---- */

static bool has_many_bad(const struct watch *watch, const struct bucket *hour, int64_t utc_ms)
{
    uint32_t of = hour->n_accepted > hour->n_concluded ? hour->n_accepted : hour->n_concluded;
    uint32_t n_needed = (uint32_t)(((uint64_t)of * BRAKE_BAD_PERCENT + 99) / 100);

    return hour->n_bad >= n_needed &&
           hour->n_bad - count_excess(watch, utc_ms, n_needed, of) >= n_needed;
}

static bool has_history(const struct brake_book *book, const struct watch *watch, int64_t utc_ms)
{
    return book->since_utc_ms + DAY_MS <= utc_ms && watch->since_utc_ms + DAY_MS <= utc_ms;
}

static struct brake_grounds judge(const struct brake_book *book, struct watch *watch,
                                  int64_t utc_ms)
{
    struct bucket hour = sum_of_hour(watch, utc_ms);
    struct brake_grounds grounds = {.n_recipients = hour.n_accepted, .n_bad = hour.n_bad};
    uint32_t n_known;

    if (watch->is_pulled || hour.n_accepted < BRAKE_RECIPIENTS)
        return grounds;
    count_networks(watch, utc_ms, &grounds.n_networks, &n_known);
    if (has_many_bad(watch, &hour, utc_ms))
        grounds.cause = BRAKE_BAD_MAILBOXES;
    else if (grounds.n_networks >= BRAKE_NEW_NETWORKS && n_known <= BRAKE_KNOWN_NETWORKS &&
             has_history(book, watch, utc_ms))
        grounds.cause = BRAKE_LOGINS;
    watch->is_pulled = grounds.cause != BRAKE_NOT;
    return grounds;
}

struct brake_grounds brake_book_accepted(struct brake_book *book, uint32_t user_id,
                                         uint32_t n_recipients, int64_t utc_ms)
{
    struct watch *watch = make_watch(book, user_id);

    if (!watch)
        return (struct brake_grounds){0};
    bucket_at(watch, utc_ms)->n_accepted += n_recipients;
    return judge(book, watch, utc_ms);
}

struct brake_grounds brake_book_concluded(struct brake_book *book, uint32_t user_id,
                                          const struct brake_conclusions *what, int64_t utc_ms)
{
    struct watch *watch = make_watch(book, user_id);
    struct bucket *bucket;

    if (!watch)
        return (struct brake_grounds){0};
    bucket = bucket_at(watch, utc_ms);
    bucket->n_concluded += what->n_concluded;
    bucket->n_bad += what->n_bad;
    if (what->receiver.len)
        note_receiver(bucket, what);
    return judge(book, watch, utc_ms);
}

static bool note_network(struct watch *watch, uint64_t network, int64_t utc_ms)
{
    struct known_network *known = find_network(watch, network);
    bool is_noteworthy = !known || known->last_utc_ms + DAY_MS <= utc_ms;

    if (!known) {
        known = add_network(watch);
        if (!known)
            return false;
        *known = (struct known_network){network, utc_ms, utc_ms};
    }
    if (is_noteworthy)
        known->last_utc_ms = utc_ms;
    return is_noteworthy;
}

struct brake_grounds brake_book_login(struct brake_book *book, uint32_t user_id,
                                      struct ip_address peer, int64_t created_utc_ms,
                                      int64_t utc_ms, bool *is_noteworthy)
{
    struct watch *watch = make_watch(book, user_id);

    *is_noteworthy = false;
    if (!watch)
        return (struct brake_grounds){0};
    watch->since_utc_ms = created_utc_ms;
    forget_old(watch, utc_ms);
    *is_noteworthy = note_network(watch, brake_network_of(peer), utc_ms);
    return judge(book, watch, utc_ms);
}

void brake_book_release(struct brake_book *book, uint32_t user_id)
{
    struct watch *watch = find_watch(book, user_id);

    if (!watch)
        return;
    watch->is_pulled = false;
    memset(watch->buckets, 0, sizeof(watch->buckets));
    for (uint32_t i = 0; i < watch->n_networks; i++)
        watch->networks[i].first_utc_ms -= HOUR_MS;
}

void brake_book_rearm(struct brake_book *book, uint32_t user_id)
{
    struct watch *watch = find_watch(book, user_id);

    if (watch)
        watch->is_pulled = false;
}

int brake_book_load(struct brake_book *book, const struct brake_network *network)
{
    struct watch *watch = make_watch(book, network->user_id);
    struct known_network *known = watch ? add_network(watch) : NULL;

    if (!known)
        return FAULT(-ENOMEM);
    *known = (struct known_network){network->network, network->first_utc_ms, network->last_utc_ms};
    if (network->first_utc_ms < book->since_utc_ms)
        book->since_utc_ms = network->first_utc_ms;
    return 0;
}
