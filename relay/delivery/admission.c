/* Mail comes in: committed just now, or found at the start. */
#include "relay/delivery/admission.h"

#include "relay/base/clock.h"
#include "relay/base/secret.h"
#include "relay/delivery/doubt.h"
#include "relay/delivery/reply_memory.h"
#include "relay/spool/queue_id.h"

enum { HELD_REASON_SIZE = 200 };

/* One message's recipients for one loop. */
struct admission {
    struct task task;
    struct delivery_shard *shard;
    struct stored *stored;
    uint32_t campaign, pool;
    uint32_t n_recipients;
    uint8_t flags; /* of its entries */
    bool is_held, is_braked;
    int64_t held_until_utc_ms;
    char reason[HELD_REASON_SIZE];
    struct admitted {
        struct slice domain; /* behind the array */
        uint32_t n, to_hash;
    } recipients[];
};

struct slice admission_domain(struct slice address, char ascii[IDN_SIZE])
{
    struct slice domain = slice_skip(address, (size_t)(slice_find_last(address, '@') + 1));

    if (domain.len && domain.data[0] != '[' && idn_to_ascii(domain, ascii) == 0)
        return slice_of(ascii);
    return domain;
}

static struct delivery_shard *first_shard(struct delivery *delivery,
                                          const struct delivery_config *config, struct slice domain)
{
    const struct route_rule *rule = delivery_config_route(config, domain);

    return delivery_owner_of(delivery, rule ? rule->site_name : domain);
}

struct delivery_shard *admission_shard(struct delivery *delivery, struct slice domain)
{
    return first_shard(delivery, atomic_load(&delivery->config), domain);
}

static void admit_one(const struct admission *admission, const struct admitted *recipient)
{
    struct delivery_shard *shard = admission->shard;
    int64_t until_ms = admission->held_until_utc_ms;
    struct new_entry entry = {
        .message = stored_ref(admission->stored),
        .domain = recipient->domain,
        .n = recipient->n,
        .to_hash = recipient->to_hash,
        .campaign = admission->campaign,
        .pool = admission->pool,
        .flags = admission->flags,
        .is_held = admission->is_held,
        .is_braked = admission->is_braked,
        .due_ms = until_ms ? until_ms - clock_utc_ms() + shard_now_ms(shard) : 0,
    };

    if (admission->is_held)
        reply_memory_note(&shard->replies, admission->stored->id, recipient->n,
                          slice_of(admission->reason));
    delivery_shard_admit(shard, &entry);
}

static void admit(struct task *task)
{
    struct admission *admission = CONTAINER_OF(task, struct admission, task);

    for (uint32_t i = 0; i < admission->n_recipients; i++)
        admit_one(admission, &admission->recipients[i]);
    delivery_shard_touch(admission->shard);
    stored_unref(admission->stored);
    free(admission);
}

/* A message on its way to the loops.  One config for all of them: with another in between, a
 * recipient would be two loops' or none's. */
struct arrival {
    struct delivery *delivery;
    const struct delivery_config *config;
    struct stored *stored;
    const struct envelope *envelope;
};

static bool is_for(const struct arrival *arrival, const struct delivery_shard *shard,
                   struct slice domain)
{
    return first_shard(arrival->delivery, arrival->config, domain) == shard;
}

/* How much memory the recipients of this loop take. */
static uint32_t count_for(const struct arrival *arrival, const struct delivery_shard *shard,
                          size_t *text_bytes)
{
    const struct envelope *envelope = arrival->envelope;
    char ascii[IDN_SIZE];
    uint32_t n = 0;

    *text_bytes = 0;
    for (uint32_t i = 0; i < envelope->n_recipients; i++) {
        struct slice domain = admission_domain(envelope->recipients[i].address, ascii);

        if (!is_for(arrival, shard, domain))
            continue;
        *text_bytes += domain.len;
        n++;
    }
    return n;
}

static void fill_admission(const struct arrival *arrival, struct admission *admission,
                           uint32_t most)
{
    const struct envelope *envelope = arrival->envelope;
    char *text = (char *)&admission->recipients[most];
    char ascii[IDN_SIZE];

    for (uint32_t i = 0; i < envelope->n_recipients && admission->n_recipients < most; i++) {
        struct slice address = envelope->recipients[i].address;
        struct slice domain = admission_domain(address, ascii);

        if (!is_for(arrival, admission->shard, domain))
            continue;
        memcpy(text, domain.data, domain.len);
        admission->recipients[admission->n_recipients++] = (struct admitted){
            .domain = slice_from(text, domain.len), .n = i + 1, .to_hash = stored_hash(address)};
        text += domain.len;
    }
}

static void fill_hold(const struct message_hold *hold, struct admission *admission)
{
    if (!hold)
        return;
    admission->is_held = true;
    admission->is_braked = hold->is_braked;
    admission->held_until_utc_ms = hold->until_utc_ms;
    slice_copy_to(hold->reason, admission->reason, sizeof(admission->reason));
}

static void tell_held(const struct envelope *envelope)
{
    const struct message_hold *hold = envelope->hold;
    char id[QUEUE_ID_SIZE], until[CLOCK_DATE_SIZE];

    queue_id_format(envelope->id, id);
    if (hold->until_utc_ms)
        clock_format_timestamp(hold->until_utc_ms, until);
    for (uint32_t i = 0; i < envelope->n_recipients; i++)
        EVENT(EVENT_HELD, field_text("msg", id), field_number("rcpt", i + 1),
              field_slice("to", envelope->recipients[i].address),
              field_text("why", hold->is_braked ? "braked" : "quota"),
              field_slice("reply", hold->reason),
              field_text("until", hold->until_utc_ms ? until : NULL),
              field_quiet(field_slice("user", envelope->user)),
              field_quiet(field_slice("from", envelope->sender)),
              field_quiet(field_slice("campaign", envelope->campaign)));
}

static uint64_t only_domain_hash(const struct envelope *envelope)
{
    char ascii[IDN_SIZE];

    return table_hash_ignoring_case(admission_domain(envelope->recipients[0].address, ascii));
}

static void admit_to(struct delivery_shard *shard, const struct arrival *arrival)
{
    const struct envelope *envelope = arrival->envelope;
    size_t text_bytes;
    uint32_t n = count_for(arrival, shard, &text_bytes);
    struct admission *admission;

    if (n == 0)
        return;
    admission = malloc(sizeof(*admission) + n * sizeof(admission->recipients[0]) + text_bytes);
    if (!admission) { /* the rows stay; the next start finds them */
        if (arrival->stored->is_open)
            warmth_begun(&arrival->delivery->warmth, only_domain_hash(envelope));
        return;
    }
    *admission = (struct admission){
        .task = {.run = admit},
        .shard = shard,
        .stored = stored_ref(arrival->stored),
        .campaign = envelope->campaign.len ? stored_hash(envelope->campaign) : 0,
        .pool = egress_table_pool(&arrival->config->egress, envelope->user, envelope->sender,
                                  envelope->class),
        .flags = arrival->stored->is_open ? ENTRY_OPEN | ENTRY_ANNOUNCED : 0,
    };
    fill_hold(envelope->hold, admission);
    fill_admission(arrival, admission, n);
    mailbox_answer(loop_mailbox(shard->loop), &admission->task);
}

/* One recipient, and its destination is warm.  Of several some may be refused, and those were then
 * never in doubt: they are marked when that is known. */
bool delivery_opens_at_once(struct delivery *delivery, const struct envelope *envelope)
{
    return envelope->n_recipients == 1 &&
           warmth_is_free(&delivery->warmth, only_domain_hash(envelope));
}

void delivery_admit(struct delivery *delivery, struct stored *stored,
                    const struct envelope *envelope)
{
    const struct arrival arrival = {delivery, atomic_load(&delivery->config), stored, envelope};

    if (stored->is_open)
        warmth_announce(&delivery->warmth, only_domain_hash(envelope));
    if (envelope->hold)
        tell_held(envelope);
    for (unsigned i = 0; i < delivery->n_shards; i++)
        admit_to(&delivery->shards[i], &arrival);
    stored_unref(stored);
}

static bool has_time(const struct recipient_row *row)
{
    return row->state == RECIPIENT_DEFERRED ||
           (row->state == RECIPIENT_HELD && row->flags & RECIPIENT_TIMED);
}

static struct new_entry entry_of_row(const struct delivery_config *config, struct stored *stored,
                                     const struct recipient_row *row, int64_t utc_offset_ms)
{
    return (struct new_entry){
        .message = stored_ref(stored),
        .n = row->n,
        .to_hash = stored_hash(row->address),
        .campaign = row->campaign.len ? stored_hash(row->campaign) : 0,
        .pool = egress_table_pool(&config->egress, row->user, row->sender,
                                  (enum message_class)stored->class),
        .attempts = row->attempts < UINT16_MAX ? (uint16_t)row->attempts : UINT16_MAX,
        .flags = (uint8_t)((row->flags & RECIPIENT_DOUBTFUL ? ENTRY_DOUBTFUL : 0) |
                           (row->flags & RECIPIENT_DELAY_REPORTED ? ENTRY_DELAY_REPORTED : 0)),
        .is_held = row->state == RECIPIENT_HELD,
        .is_braked = row->state == RECIPIENT_HELD && row->flags & RECIPIENT_BRAKED,
        .is_by_rule = (row->flags & RECIPIENT_RULED) != 0,
        .needs_attempt = true,
        .due_ms = has_time(row) ? row->next_utc_ms - utc_offset_ms : 0,
    };
}

void delivery_forget_recovered(struct delivery *delivery)
{
    for (unsigned i = 0; i < delivery->n_shards; i++) {
        schedule_clear(delivery->shards[i].schedule);
        doubt_forget_delivered(&delivery->shards[i]);
    }
}

/* Before the loops run: straight into their schedules, so that five million rows need no tasks. */
void delivery_recover(struct delivery *delivery, struct stored *stored,
                      const struct recipient_row *rows, uint32_t n_rows)
{
    int64_t utc_offset_ms = clock_utc_ms() - clock_monotonic_ms();
    const struct delivery_config *config = atomic_load(&delivery->config);
    char ascii[IDN_SIZE];

    for (uint32_t i = 0; i < n_rows; i++) {
        const struct recipient_row *row = &rows[i];
        struct slice domain = admission_domain(row->address, ascii);
        struct delivery_shard *shard = first_shard(delivery, config, domain);
        struct new_entry entry = entry_of_row(config, stored, row, utc_offset_ms);

        entry.domain = domain;
        if (row->flags & RECIPIENT_DELIVERED) {
            doubt_note_delivered(shard, entry.message, row);
            continue;
        }
        delivery_shard_admit(shard, &entry);
        if (row->reply.len)
            reply_memory_note(&shard->replies, stored->id, row->n, row->reply);
    }
    stored_unref(stored);
}
