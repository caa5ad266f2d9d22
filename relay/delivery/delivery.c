#include "relay/delivery/delivery.h"

#include <errno.h>
#include <unistd.h>

#include "relay/base/clock.h"
#include "relay/delivery/reply_memory.h"
#include "relay/delivery/router.h"
#include "relay/delivery/shard.h"
#include "relay/message/idn.h"

/* ---- start and end ---- */

static int start_shards(struct delivery *delivery, const struct delivery_parts *parts)
{
    for (; delivery->n_shards < parts->n_loops; delivery->n_shards++) {
        struct delivery_shard *shard = &delivery->shards[delivery->n_shards];
        int error = delivery_shard_init(shard, delivery, parts->loops[delivery->n_shards],
                                        delivery->n_shards, &parts->resolver);

        if (error < 0) {
            delivery_shard_fini(shard);
            return error;
        }
        delivery_shard_apply(shard, delivery->config);
    }
    return 0;
}

int delivery_start(struct delivery **out, const struct delivery_parts *parts,
                   const struct delivery_settings *settings)
{
    struct delivery *delivery = calloc(1, sizeof(*delivery));
    struct delivery_config *config = NULL;
    int error;

    if (!delivery)
        return FAULT(-ENOMEM);
    delivery->policy = parts->policy;
    delivery->authorities_pem = parts->authorities_pem;
    delivery->on_signer = parts->on_signer;
    delivery->owner = parts->owner;
    delivery->shards = calloc(parts->n_loops, sizeof(*delivery->shards));
    error = delivery->shards ? delivery_config_new(&config, settings) : FAULT(-ENOMEM);
    if (error == 0) {
        atomic_store(&delivery->config, config);
        error = start_shards(delivery, parts);
    }
    if (error < 0) {
        delivery_free(delivery);
        return error;
    }
    *out = delivery;
    return 0;
}

struct delivery *delivery_free(struct delivery *delivery)
{
    struct delivery_config *config;

    if (!delivery)
        return NULL;
    delivery->policy = NULL; /* it may be gone already: permits end with it */
    delivery->spool = NULL;  /* the same, and leases with it */
    for (unsigned i = 0; i < delivery->n_shards; i++)
        delivery_shard_fini(&delivery->shards[i]);
    config = atomic_load(&delivery->config);
    while (config) {
        struct delivery_config *older = config->older;

        delivery_config_unref(config);
        config = older;
    }
    free(delivery->shards);
    free(delivery);
    return NULL;
}

const char *delivery_egress_note(const struct delivery *delivery)
{
    return egress_note(&delivery->egress);
}

void delivery_use_spool(struct delivery *delivery, struct spool *spool)
{
    delivery->spool = spool;
}

void delivery_subscribe(struct delivery *delivery, struct registry *registry)
{
    for (unsigned i = 0; i < delivery->n_shards; i++)
        registry_subscribe(registry, &delivery->shards[i].subscriber);
}

/* ---- words to every loop ---- */

struct word {
    struct task task;
    struct delivery_shard *shard;
    struct delivery_config *config;
    struct delivery_drain *drain;
    int fd;
};

static void say(struct delivery_shard *shard, void (*run)(struct task *task), struct word word)
{
    struct word *copy = malloc(sizeof(*copy));

    if (!copy) /* a few bytes, a few times in a process's life */
        abort();
    *copy = word;
    copy->task.run = run;
    copy->shard = shard;
    mailbox_answer(loop_mailbox(shard->loop), &copy->task);
}

static void begin(struct task *task)
{
    struct word *word = CONTAINER_OF(task, struct word, task);

    word->shard->is_ready = true;
    delivery_shard_touch(word->shard);
    free(word);
}

void delivery_recovered(struct delivery *delivery)
{
    for (unsigned i = 0; i < delivery->n_shards; i++)
        say(&delivery->shards[i], begin, (struct word){.fd = -1});
}

static void link_signer(struct task *task)
{
    struct word *word = CONTAINER_OF(task, struct word, task);

    if (signer_client_connect(word->shard->signer, word->fd) < 0)
        signer_client_disconnect(word->shard->signer);
    delivery_shard_touch(word->shard);
    free(word);
}

void delivery_signer_link(struct delivery *delivery, unsigned loop_index, int fd)
{
    say(&delivery->shards[loop_index], link_signer, (struct word){.fd = fd});
}

static void apply(struct task *task)
{
    struct word *word = CONTAINER_OF(task, struct word, task);

    delivery_shard_apply(word->shard, word->config);
    delivery_config_unref(word->config);
    free(word);
}

int delivery_reload(struct delivery *delivery, const struct delivery_settings *settings)
{
    struct delivery_config *config;
    int error = delivery_config_new(&config, settings);

    if (error < 0)
        return error;
    /* The spool's thread may be looking at the former one: it stays until the end. */
    config->older = atomic_load(&delivery->config);
    atomic_store(&delivery->config, config);
    for (unsigned i = 0; i < delivery->n_shards; i++)
        say(&delivery->shards[i], apply,
            (struct word){.config = delivery_config_ref(config), .fd = -1});
    return 0;
}

static void drain_shard(struct task *task)
{
    struct word *word = CONTAINER_OF(task, struct word, task);

    delivery_shard_drain(word->shard, word->drain);
    free(word);
}

static void on_drained(struct task *task)
{
    struct delivery_drain *drain = CONTAINER_OF(task, struct delivery_drain, task);

    drain->done(drain);
}

void delivery_drain(struct delivery *delivery, struct delivery_drain *drain)
{
    drain->task.run = on_drained;
    atomic_store(&drain->n_left, delivery->n_shards);
    for (unsigned i = 0; i < delivery->n_shards; i++)
        say(&delivery->shards[i], drain_shard, (struct word){.drain = drain, .fd = -1});
}

/* ---- mail comes in ---- */

/* One message's recipients for one loop. */
struct admission {
    struct task task;
    struct delivery_shard *shard;
    struct stored *stored;
    uint32_t campaign;
    uint32_t n_recipients;
    struct admitted {
        struct slice domain; /* behind the array */
        uint32_t n, to_hash;
    } recipients[];
};

/* The domain as DNS wants it; one that IDNA refuses stays as it is, and is refused by the router.
 */
static struct slice domain_of(struct slice address, char ascii[IDN_SIZE])
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

static void admit(struct task *task)
{
    struct admission *admission = CONTAINER_OF(task, struct admission, task);

    for (uint32_t i = 0; i < admission->n_recipients; i++)
        delivery_shard_admit(admission->shard, &(struct new_entry){
                                                   .message = stored_ref(admission->stored),
                                                   .domain = admission->recipients[i].domain,
                                                   .n = admission->recipients[i].n,
                                                   .to_hash = admission->recipients[i].to_hash,
                                                   .campaign = admission->campaign,
                                               });
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
        struct slice domain = domain_of(envelope->recipients[i].address, ascii);

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
        struct slice domain = domain_of(address, ascii);

        if (!is_for(arrival, admission->shard, domain))
            continue;
        memcpy(text, domain.data, domain.len);
        admission->recipients[admission->n_recipients++] = (struct admitted){
            .domain = slice_from(text, domain.len), .n = i + 1, .to_hash = stored_hash(address)};
        text += domain.len;
    }
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
    if (!admission)
        return; /* the rows stay; the next start finds them */
    *admission = (struct admission){
        .task = {.run = admit},
        .shard = shard,
        .stored = stored_ref(arrival->stored),
        .campaign = envelope->campaign.len ? stored_hash(envelope->campaign) : 0,
    };
    fill_admission(arrival, admission, n);
    mailbox_answer(loop_mailbox(shard->loop), &admission->task);
}

void delivery_admit(struct delivery *delivery, struct stored *stored,
                    const struct envelope *envelope)
{
    const struct arrival arrival = {delivery, atomic_load(&delivery->config), stored, envelope};

    for (unsigned i = 0; i < delivery->n_shards; i++)
        admit_to(&delivery->shards[i], &arrival);
    stored_unref(stored);
}

/* Before the loops run: straight into their schedules, so that five million rows need no tasks. */
void delivery_recover(struct delivery *delivery, struct stored *stored,
                      const struct recipient_row *rows, uint32_t n_rows)
{
    int64_t utc_offset_ms = clock_utc_ms() - clock_monotonic_ms();
    char ascii[IDN_SIZE];

    for (uint32_t i = 0; i < n_rows; i++) {
        const struct recipient_row *row = &rows[i];
        struct slice domain = domain_of(row->address, ascii);
        struct delivery_shard *shard =
            first_shard(delivery, atomic_load(&delivery->config), domain);
        struct new_entry entry = {
            .message = stored_ref(stored),
            .domain = domain,
            .n = row->n,
            .to_hash = stored_hash(row->address),
            .campaign = row->campaign.len ? stored_hash(row->campaign) : 0,
            .attempts = row->attempts < UINT16_MAX ? (uint16_t)row->attempts : UINT16_MAX,
            .flags = (uint8_t)((row->flags & RECIPIENT_DOUBTFUL ? ENTRY_DOUBTFUL : 0) |
                               (row->flags & RECIPIENT_DELAY_REPORTED ? ENTRY_DELAY_REPORTED : 0)),
            .is_held = row->state == RECIPIENT_HELD,
            .needs_attempt = true,
            .due_ms = row->state == RECIPIENT_DEFERRED ? row->next_utc_ms - utc_offset_ms : 0,
        };

        delivery_shard_admit(shard, &entry);
        if (row->reply.len)
            reply_memory_note(&shard->replies, stored->id, row->n, row->reply);
    }
    stored_unref(stored);
}

void delivery_recover_failures(struct delivery *delivery, const struct failures_waiting *waiting)
{
    digest_recover(delivery, waiting);
}
