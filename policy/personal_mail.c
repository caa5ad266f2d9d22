#include "policy/personal_mail.h"

#include <errno.h>

#include "relay/base/list.h"
#include "relay/base/secret.h"

enum { STORE_EVERY = 100, MOST_LOOKS = 64 };

struct entry {
    struct key_entry entry;
    struct personal_count count;
};

static const char *const names[N_PERSONAL_PROVIDERS] = {
    [PERSONAL_GMAIL] = "gmail", [PERSONAL_YAHOO] = "yahoo", [PERSONAL_MICROSOFT] = "microsoft"};

/* By the first label and, where the firm has one per country, any top level behind it. */
static const struct {
    const char *name;
    bool is_any_country;
    enum personal_provider provider;
} domains[] = {
    {"gmail.com",      false, PERSONAL_GMAIL    },
    {"googlemail.com", false, PERSONAL_GMAIL    },
    {"yahoo",          true,  PERSONAL_YAHOO    },
    {"ymail.com",      false, PERSONAL_YAHOO    },
    {"rocketmail.com", false, PERSONAL_YAHOO    },
    {"myyahoo.com",    false, PERSONAL_YAHOO    },
    {"aol.com",        false, PERSONAL_YAHOO    },
    {"aim.com",        false, PERSONAL_YAHOO    },
    {"verizon.net",    false, PERSONAL_YAHOO    },
    {"outlook",        true,  PERSONAL_MICROSOFT},
    {"hotmail",        true,  PERSONAL_MICROSOFT},
    {"live",           true,  PERSONAL_MICROSOFT},
    {"msn.com",        false, PERSONAL_MICROSOFT},
    {"passport.com",   false, PERSONAL_MICROSOFT},
};

const char *personal_provider_name(enum personal_provider provider)
{
    return names[provider];
}

bool personal_provider_parse(struct slice name, enum personal_provider *out)
{
    for (unsigned i = 0; i < N_PERSONAL_PROVIDERS; i++)
        if (slice_equal(name, slice_of(names[i]))) {
            *out = (enum personal_provider)i;
            return true;
        }
    return false;
}

/* "it", "fr", "com", "co.uk", "com.br": short labels, two at most. */
static bool is_country(struct slice rest)
{
    ptrdiff_t dot = slice_find(rest, '.');
    struct slice first = dot < 0 ? rest : slice_head(rest, (size_t)dot);

    if (first.len < 2 || first.len > 3)
        return false;
    return dot < 0 || (slice_skip(rest, (size_t)dot + 1).len == 2);
}

static bool fits(struct slice domain, const char *name, bool is_any_country)
{
    struct slice wanted = slice_of(name);

    if (!is_any_country)
        return slice_equal_ignoring_case(domain, wanted);
    return domain.len > wanted.len + 1 && domain.data[wanted.len] == '.' &&
           slice_starts_with_ignoring_case(domain, wanted) &&
           is_country(slice_skip(domain, wanted.len + 1));
}

bool personal_provider_of(struct slice domain, enum personal_provider *out)
{
    for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
        if (fits(domain, domains[i].name, domains[i].is_any_country)) {
            *out = domains[i].provider;
            return true;
        }
    return false;
}

/* ---- counts ---- */

void personal_book_fini(struct personal_book *book)
{
    struct key_entry *entry;

    while ((entry = key_table_take_any(&book->counts)))
        free(CONTAINER_OF(entry, struct entry, entry));
    key_table_fini(&book->counts);
}

static uint64_t key_of(struct slice domain, enum personal_provider provider)
{
    return table_hash_ignoring_case(domain) + (uint64_t)provider;
}

/* Of a few in turn the smallest goes, one of a day that is over before all others. */
static void make_room(struct personal_book *book, int64_t utc_ms)
{
    struct entry *least = NULL;
    unsigned n_looks = 0;

    for (uint32_t i = 0; i < book->counts.n_buckets && n_looks < MOST_LOOKS; i++) {
        struct key_entry *entry = book->counts.buckets[book->hand++ % book->counts.n_buckets];

        for (; entry; entry = entry->next, n_looks++) {
            struct entry *seen = CONTAINER_OF(entry, struct entry, entry);

            if (seen->count.day.ends_utc_ms <= utc_ms)
                seen->count.n = 0;
            if (!least || seen->count.n < least->count.n)
                least = seen;
        }
    }
    if (!least)
        return;
    key_table_remove(&book->counts, &least->entry);
    free(least);
}

/* NULL without memory. */
static struct entry *make_entry(struct personal_book *book, struct slice domain,
                                enum personal_provider provider, int64_t utc_ms)
{
    struct key_entry *known = key_table_find(&book->counts, key_of(domain, provider));
    struct entry *made;

    if (known)
        return CONTAINER_OF(known, struct entry, entry);
    if (book->counts.n_entries >= PERSONAL_MOST_DOMAINS * N_PERSONAL_PROVIDERS)
        make_room(book, utc_ms);
    made = calloc(1, sizeof(*made));
    if (!made)
        return NULL;
    made->entry.key = key_of(domain, provider);
    made->count.provider = provider;
    slice_copy_to(domain, made->count.domain, sizeof(made->count.domain));
    if (key_table_add(&book->counts, &made->entry) == 0)
        return made;
    free(made);
    return NULL;
}

static unsigned percent_to_tell(struct personal_count *count)
{
    unsigned percent = count->n >= PERSONAL_BULK ? 100
                       : count->n >= PERSONAL_BULK * PERSONAL_WARN_PERCENT / 100
                           ? (unsigned)PERSONAL_WARN_PERCENT
                           : 0;

    if (percent <= count->told)
        return 0;
    count->told = percent;
    return percent;
}

unsigned personal_book_add(struct personal_book *book, struct slice domain,
                           enum personal_provider provider, uint32_t n, int64_t utc_ms,
                           const struct personal_count **out, bool *is_noteworthy)
{
    struct entry *entry = make_entry(book, domain, provider, utc_ms);
    struct personal_count *count;
    uint32_t before;
    unsigned percent;

    *is_noteworthy = false;
    *out = NULL;
    if (!entry)
        return 0;
    count = &entry->count;
    if (utc_ms >= count->day.ends_utc_ms || utc_ms < count->day.starts_utc_ms) {
        count->day = period_at(PERIOD_DAY, utc_ms);
        count->n = count->told = 0;
    }
    before = count->n;
    count->n += n;
    percent = percent_to_tell(count);
    *out = count;
    *is_noteworthy = percent || count->n / STORE_EVERY != before / STORE_EVERY;
    return percent;
}

int personal_book_load(struct personal_book *book, const struct personal_count *count)
{
    struct entry *entry =
        make_entry(book, slice_of(count->domain), count->provider, count->day.starts_utc_ms);

    if (!entry)
        return FAULT(-ENOMEM);
    entry->count = *count;
    return 0;
}

void personal_book_each(const struct personal_book *book, int64_t utc_ms,
                        void (*visit)(void *owner, const struct personal_count *count), void *owner)
{
    for (uint32_t i = 0; i < book->counts.n_buckets; i++)
        for (struct key_entry *entry = book->counts.buckets[i]; entry; entry = entry->next) {
            const struct personal_count *count = &CONTAINER_OF(entry, struct entry, entry)->count;

            if (count->n && utc_ms < count->day.ends_utc_ms)
                visit(owner, count);
        }
}
