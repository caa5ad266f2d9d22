#include "relay/delivery/kept_words.h"

#include <errno.h>
#include <stdio.h>

#include "policy/receiver_book.h"
#include "relay/base/clock.h"
#include "relay/base/secret.h"
#include "relay/schedule/provider.h"

enum { LEAST_MS = 10000 };                   /* what ends sooner has ended when we are back */
#define MOST_MS (INT64_C(31) * 86400 * 1000) /* what ends later was noted by a clock ahead */

struct kept_word {
    struct rule_word word;
    uint64_t place; /* hash of its name */
    bool is_used;   /* it was in force again: what came of it since is what holds */
};

/* ---- the start ---- */

static int add(void *owner, const struct rule_word *word)
{
    struct kept_words *words = owner;
    struct kept_word *more;

    if (words->n_words == words->size) {
        size_t size = words->size ? 2 * words->size : 16;

        more = reallocarray(words->words, size, sizeof(*more));
        if (!more)
            return FAULT(-ENOMEM);
        words->words = more;
        words->size = size;
    }
    words->words[words->n_words++] =
        (struct kept_word){.word = *word, .place = table_hash_ignoring_case(slice_of(word->place))};
    more = &words->words[words->n_words - 1];
    if (more->word.until_utc_ms > clock_utc_ms() + MOST_MS)
        more->word.until_utc_ms = clock_utc_ms() + MOST_MS;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct kept_word *one = a, *other = b;

    return (one->place > other->place) - (one->place < other->place);
}

void kept_words_load(struct delivery *delivery, struct registry *registry)
{
    struct kept_words *words = &delivery->words;

    if (rule_words_load(registry, add, words) < 0)
        FAULT(-EIO);
    if (words->n_words)
        qsort(words->words, words->n_words, sizeof(*words->words), compare);
}

void kept_words_free(struct delivery *delivery)
{
    free(delivery->words.words);
}

/* ---- in force again ---- */

/* The first of the place, or where it would be. */
static size_t first_of(const struct kept_words *words, uint64_t place)
{
    size_t low = 0, high = words->n_words;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (words->words[middle].place < place)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int64_t end_of(const struct delivery_shard *shard, const struct rule_word *word)
{
    return word->until_utc_ms - clock_utc_ms() + shard_now_ms(shard);
}

static void say(const struct delivery_shard *shard, struct bound *bound,
                const struct rule_word *word)
{
    int64_t now_ms = shard_now_ms(shard), until_ms = end_of(shard, word);
    struct site_limits limits = {
        .connections = word->limits.connections,
        .messages_per_connection = word->limits.connection_messages,
        .messages_per_second = word->limits.messages_per_second,
        .messages_per_minute = word->limits.messages_per_minute,
        .messages_per_hour = word->limits.messages_per_hour,
        .messages_per_day = word->limits.messages_per_day,
    };

    if (!bound || until_ms <= now_ms)
        return;
    if (word->verb == RULE_LIMIT) {
        bound_limit(bound, BOUND_BY_RULE, &limits, word->reason, until_ms, now_ms);
        bound_limited_since(bound, INT64_MIN);
    } else {
        bound_suspend(bound, BOUND_BY_RULE, word->reason, until_ms, now_ms);
    }
}

/* False: none of that name is ours any more. */
static bool find_address(const struct delivery_shard *shard, const char *name, uint32_t *egress)
{
    char text[IP_TEXT_SIZE];

    for (*egress = 0; *egress < EGRESS_MOST; ++*egress)
        if (slice_equal(kept_words_address(shard, *egress, text), slice_of(name)))
            return true;
    return false;
}

/* The engine knows what its rule did: a provider's own words have no site. */
static void remember(struct delivery_shard *shard, const struct provider *provider, uint64_t site,
                     const struct rule_word *word)
{
    const struct receiver_book *book = shard->config->book;
    struct reply_subject subject = {.site = site};

    if (!book || ((word->scope == RULE_ON_LANE || word->scope == RULE_ON_LANE_PROVIDER) &&
                  !find_address(shard, word->part, &subject.egress)))
        return;
    if (provider)
        subject.provider = provider_table_named(&book->providers, slice_of(provider->name));
    reply_rule_engine_remember(&shard->rules, &book->rules, &subject, word, end_of(shard, word),
                               shard_now_ms(shard));
}

static struct bound *bound_at_site(struct delivery_shard *shard, struct site *site,
                                   const struct rule_word *word)
{
    struct lane *lane;
    uint32_t egress;

    if (word->scope == RULE_ON_SITE)
        return &site->bound;
    if (word->scope != RULE_ON_LANE || !find_address(shard, word->part, &egress))
        return NULL;
    lane = site_lane(site, egress);
    return lane ? &lane->bound : NULL;
}

static struct bound *bound_at_provider(struct delivery_shard *shard, struct provider *provider,
                                       const struct rule_word *word)
{
    struct road *road;
    uint32_t egress;

    if (word->scope == RULE_ON_PROVIDER)
        return &provider->bound;
    if (word->scope != RULE_ON_LANE_PROVIDER || !find_address(shard, word->part, &egress))
        return NULL;
    road = provider_road(provider, egress);
    return road ? &road->bound : NULL;
}

/* The next of that place and kind that was not used yet, which it is then; NULL: no more. */
static const struct rule_word *take(struct kept_words *words, size_t *at, struct slice place,
                                    enum rule_scope one, enum rule_scope other)
{
    uint64_t hash = table_hash_ignoring_case(place);

    if (*at == 0)
        *at = first_of(words, hash);
    for (; *at < words->n_words && words->words[*at].place == hash; ++*at) {
        struct kept_word *kept = &words->words[*at];

        if (kept->is_used || (kept->word.scope != one && kept->word.scope != other) ||
            !slice_equal_ignoring_case(slice_of(kept->word.place), place))
            continue;
        kept->is_used = true;
        return &kept->word;
    }
    return NULL;
}

void kept_words_meet_site(struct delivery_shard *shard, struct site *site)
{
    struct kept_words *words = &shard->delivery->words;
    const struct rule_word *word;
    size_t at = 0;

    while (words->n_words &&
           (word = take(words, &at, slice_of(site->name), RULE_ON_SITE, RULE_ON_LANE))) {
        say(shard, bound_at_site(shard, site, word), word);
        remember(shard, site->provider, site->hash, word);
    }
}

void kept_words_meet_provider(struct delivery_shard *shard, struct provider *provider)
{
    struct kept_words *words = &shard->delivery->words;
    const struct rule_word *word;
    size_t at = 0;

    while (words->n_words && (word = take(words, &at, slice_of(provider->name), RULE_ON_PROVIDER,
                                          RULE_ON_LANE_PROVIDER))) {
        say(shard, bound_at_provider(shard, provider, word), word);
        remember(shard, provider, 0, word);
    }
}

/* ---- mail of one sender ---- */

static bool read_sender(const struct rule_word *word, struct reply_subject *subject)
{
    struct slice part = slice_of(word->part), name = part;
    ptrdiff_t slash = slice_find(part, '/');
    uint64_t user = 0;

    if (word->scope == RULE_ON_FROM_DOMAIN) {
        subject->from_domain = table_hash_ignoring_case(part);
        return part.len > 0;
    }
    if (slash >= 0) {
        name = slice_skip(part, (size_t)slash + 1);
        part = slice_head(part, (size_t)slash);
    }
    if (!slice_to_number(part, UINT32_MAX, &user))
        return false;
    subject->user = (uint32_t)user;
    if (word->scope == RULE_ON_CAMPAIGN)
        subject->campaign = stored_hash(name);
    return word->scope == RULE_ON_USER || (slash >= 0 && word->scope == RULE_ON_CAMPAIGN);
}

void kept_words_meet_mail(struct delivery_shard *shard)
{
    const struct kept_words *words = &shard->delivery->words;
    const struct receiver_book *book = shard->config->book;

    for (size_t i = 0; book && i < words->n_words; i++) {
        const struct rule_word *word = &words->words[i].word;
        struct slice place = slice_of(word->place);
        struct reply_subject subject = {.provider = provider_table_named(&book->providers, place),
                                        .site = words->words[i].place};

        if (word->scope < RULE_ON_FROM_DOMAIN || word->verb == RULE_LIMIT ||
            delivery_owner_of(shard->delivery, place) != shard || !read_sender(word, &subject))
            continue;
        reply_rule_engine_restore(&shard->rules, &subject, word, end_of(shard, word),
                                  shard_now_ms(shard));
        reply_rule_engine_remember(&shard->rules, &book->rules, &subject, word, end_of(shard, word),
                                   shard_now_ms(shard));
    }
}

/* ---- what is done ---- */

struct slice kept_words_address(const struct delivery_shard *shard, uint32_t egress,
                                char text[IP_TEXT_SIZE])
{
    const struct egress_address *address = &shard->config->egress.addresses[egress];

    if (address->name.len)
        return address->name;
    if (address->v4.family || address->v6.family)
        return slice_of(ip_print(address->v4.family ? address->v4 : address->v6, text));
    return (struct slice){NULL, 0};
}

/* A road without a provider is the lane; a provider's word without one the site's. */
static enum rule_scope scope_at(const struct lane *lane, enum rule_scope scope)
{
    if (lane->site->provider)
        return scope;
    return scope == RULE_ON_LANE_PROVIDER ? RULE_ON_LANE
           : scope == RULE_ON_PROVIDER    ? RULE_ON_SITE
                                          : scope;
}

static bool print_sender(const struct dispatch *dispatch, struct rule_word *word)
{
    const struct envelope *envelope;

    if (!dispatch || !dispatch->letter->is_open)
        return false;
    envelope = &dispatch->letter->envelope;
    if (word->scope == RULE_ON_FROM_DOMAIN)
        return slice_copy_to(envelope->from_domain, word->part, sizeof(word->part));
    if (word->scope == RULE_ON_USER)
        return snprintf(word->part, sizeof(word->part), "%u", envelope->user_id) > 0;
    return (size_t)snprintf(word->part, sizeof(word->part), "%u/%.*s", envelope->user_id,
                            (int)envelope->campaign.len,
                            envelope->campaign.data) < sizeof(word->part);
}

static bool print_part(const struct delivery_shard *shard, const struct lane *lane,
                       const struct dispatch *dispatch, struct rule_word *word)
{
    char text[IP_TEXT_SIZE];

    if (word->scope == RULE_ON_SITE || word->scope == RULE_ON_PROVIDER)
        return true;
    if (word->scope == RULE_ON_LANE || word->scope == RULE_ON_LANE_PROVIDER)
        return slice_copy_to(kept_words_address(shard, lane->egress, text), word->part,
                             sizeof(word->part));
    return print_sender(dispatch, word);
}

static struct slice place_of(const struct lane *lane, enum rule_scope scope)
{
    bool is_site = scope == RULE_ON_SITE || scope == RULE_ON_LANE || !lane->site->provider;

    return slice_of(is_site ? lane->site->name : lane->site->provider->name);
}

static bool is_for_a_time(const struct rule_action *action)
{
    enum rule_verb verb = action->step->verb;

    return action->for_ms >= LEAST_MS && action->scope != RULE_ON_RECIPIENT &&
           (verb == RULE_SUSPEND || verb == RULE_LIMIT || verb == RULE_OTHER_ADDRESS ||
            verb == RULE_HOLD);
}

void kept_words_note(const struct delivery_shard *shard, const struct lane *lane,
                     const struct rule_action *action, const struct dispatch *dispatch,
                     const char *reason)
{
    enum rule_verb verb = action->step->verb;
    struct rule_word word = {
        .scope = scope_at(lane, action->scope),
        .verb = verb == RULE_OTHER_ADDRESS ? RULE_SUSPEND : verb,
        .limits = action->step->limits,
        .until_utc_ms = clock_utc_ms() + action->for_ms,
        .lasts_ms = action->for_ms,
    };

    if (!shard->delivery->policy || !is_for_a_time(action) ||
        !slice_copy_to(place_of(lane, word.scope), word.place, sizeof(word.place)) ||
        !print_part(shard, lane, dispatch, &word))
        return;
    (void)snprintf(word.reason, sizeof(word.reason), "%s", reason);
    slice_copy_to(action->rule->name, word.rule, sizeof(word.rule));
    rule_words_note(shard->delivery->policy, &word);
}

void kept_words_forget(const struct delivery_shard *shard, struct slice place)
{
    if (shard->delivery->policy)
        rule_words_forget(shard->delivery->policy, place);
}
