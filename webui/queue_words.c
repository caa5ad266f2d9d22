#include "webui/queue_words.h"

#include "relay/base/clock.h"
#include "relay/spool/queue_id.h"
#include "webui/asking.h"

static const struct {
    enum filter_state word;
    unsigned states;
} states[] = {
    {FILTER_QUEUED,   1U << ENTRY_UNROUTED | 1U << ENTRY_READY},
    {FILTER_SENDING,  1U << ENTRY_SENDING                     },
    {FILTER_DEFERRED, 1U << ENTRY_WAITING                     },
    {FILTER_HELD,     1U << ENTRY_HELD                        },
};

static bool refuse(struct exchange *exchange, const char *code, const char *detail)
{
    exchange_problem(exchange, 422, code, detail);
    return false;
}

static bool read_states(struct exchange *exchange, struct queue_words *out)
{
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (out->words.states & 1U << states[i].word)
            out->selection.states |= states[i].states;
    if (out->words.states && !out->selection.states)
        return refuse(exchange, "bad_state", "What waits is queued, sending, deferred or held.");
    out->has_selection |= out->words.states != 0;
    return true;
}

static bool read_id(struct exchange *exchange, struct queue_words *out)
{
    if (out->words.msgid.len == 0)
        return true;
    if (!queue_id_parse(out->words.msgid, &out->id))
        return refuse(exchange, "bad_id", "That is no queue id.");
    out->selection.ids = &out->id;
    out->selection.n_ids = 1;
    out->has_selection = true;
    return true;
}

static void read_user(const struct exchange *exchange, struct queue_words *out)
{
    const struct directory *directory = exchange->webui->directory;
    const struct user *user =
        out->words.user.len && directory ? directory_user(directory, out->words.user) : NULL;

    if (out->words.user.len == 0)
        return;
    if (user) {
        out->selection.user_id = user->id;
        out->has_selection = true;
    } else {
        out->has_rest = true; /* it was deleted: its rows still have the name */
    }
    out->rows.user = out->words.user;
}

static bool is_address(struct slice text)
{
    return slice_find(text, '@') >= 0;
}

/* A whole address is a hash in memory; the recipients' domain is a destination. */
static void read_addresses(struct queue_words *out)
{
    const struct filter_words *words = &out->words;

    out->selection.destination = words->dest;
    out->has_selection |= words->dest.len > 0;
    if (is_address(words->to)) {
        out->selection.to_hash = stored_hash(words->to);
        out->has_selection = true;
    } else if (words->to.len && !words->dest.len) {
        out->selection.destination = words->to;
        out->has_selection = true;
    } else {
        out->has_rest |= words->to.len > 0;
    }
    if (is_address(words->from)) {
        out->selection.sender_hash = stored_hash(words->from);
        out->has_selection = true;
    } else {
        out->has_rest |= words->from.len > 0;
    }
    out->rows.recipient = words->to;
    out->rows.sender = words->from;
}

static void read_rest(struct queue_words *out)
{
    const struct filter_words *words = &out->words;

    if (words->older_ms)
        out->selection.older_than_utc_ms = out->rows.older_than_utc_ms =
            clock_utc_ms() - words->older_ms;
    out->selection.larger_than = out->rows.larger_than = (uint64_t)words->larger_than;
    if (words->campaign.len)
        out->selection.campaign = stored_hash(words->campaign);
    out->has_selection |= words->older_ms || words->larger_than || words->campaign.len;
    out->has_rest |= words->reply.len || words->text.len;
}

bool queue_words_read(struct exchange *exchange, const char *text, struct queue_words *out)
{
    *out = (struct queue_words){.is_nothing = false};
    if (!asking_filter(exchange, text, &out->words) || !read_states(exchange, out) ||
        !read_id(exchange, out))
        return false;
    read_user(exchange, out);
    read_addresses(out);
    read_rest(out);
    out->selection.is_all = !out->has_selection;
    return true;
}

/* ---- rows ---- */

static bool contains(struct slice whole, struct slice part)
{
    for (size_t at = 0; at + part.len <= whole.len; at++)
        if (slice_equal_ignoring_case(slice_from(whole.data + at, part.len), part))
            return true;
    return false;
}

static bool recipient_matches(const struct filter_words *words, const struct recipient_row *row)
{
    return (words->reply.len == 0 || contains(row->reply, words->reply)) &&
           (words->text.len == 0 || contains(row->address, words->text) ||
            contains(row->reply, words->text));
}

/* By itself, so that each of its recipients does. */
static bool message_matches(const struct filter_words *filter, const struct message_row *row)
{
    char id[QUEUE_ID_SIZE];

    if (filter->reply.len)
        return false;
    if (filter->text.len == 0)
        return true;
    queue_id_format(row->id, id);
    return contains(row->sender, filter->text) ||
           slice_equal_ignoring_case(slice_of(id), filter->text);
}

uint32_t queue_words_each(const struct queue_words *words, const struct message_row *row,
                          void (*on_recipient)(void *owner, uint32_t n), void *owner)
{
    const struct filter_words *filter = &words->words;
    uint32_t n_matching = 0;
    bool is_whole;

    if (filter->campaign.len && !slice_equal(row->campaign, filter->campaign))
        return 0;
    is_whole = message_matches(filter, row);
    for (uint32_t i = 0; i < row->n_rows; i++) {
        if (!is_whole && !recipient_matches(filter, &row->recipients[i]))
            continue;
        n_matching++;
        if (on_recipient)
            on_recipient(owner, row->recipients[i].n);
    }
    return n_matching;
}

bool queue_words_match(const struct queue_words *words, const struct message_row *row)
{
    return queue_words_each(words, row, NULL, NULL) > 0;
}
