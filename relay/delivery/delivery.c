#include "relay/delivery/delivery.h"
#include "relay/delivery/kept_words.h"

#include <errno.h>
#include <unistd.h>

#include "relay/delivery/doubt.h"
#include "relay/delivery/router.h"
#include "relay/delivery/shard.h"
#include "relay/delivery/visit.h"
#include "signer/public_suffix.h"

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
    notice_desk_init(&delivery->notices);
    list_init(&delivery->visits);
    delivery->policy = parts->policy;
    delivery->authorities_pem = parts->authorities_pem;
    delivery->on_signer = parts->on_signer;
    delivery->owner = parts->owner;
    if (public_suffix_open(&delivery->suffixes) < 0)
        delivery->suffixes = NULL; /* then each domain counts alone */
    delivery->shards = calloc(parts->n_loops, sizeof(*delivery->shards));
    error = delivery->shards ? delivery_config_new(&config, settings, NULL) : FAULT(-ENOMEM);
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
    notice_desk_fini(&delivery->notices);
    delivery_visits_free(delivery);
    config = atomic_load(&delivery->config);
    while (config) {
        struct delivery_config *older = config->older;

        delivery_config_unref(config);
        config = older;
    }
    public_suffix_close(delivery->suffixes);
    kept_words_free(delivery);
    free(delivery->shards);
    free(delivery);
    return NULL;
}

const char *delivery_egress_note(const struct delivery *delivery)
{
    const char *note = NULL;

    for (int n = 0; n < EGRESS_MOST && !note; n++)
        note = egress_note(&delivery->egress[n]);
    return note;
}

void delivery_use_spool(struct delivery *delivery, struct spool *spool)
{
    delivery->spool = spool;
}

void delivery_subscribe(struct delivery *delivery, struct registry *registry)
{
    kept_words_load(delivery, registry);
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
    doubt_finish_delivered(word->shard);
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
    int error = delivery_config_new(&config, settings, atomic_load(&delivery->config));

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

void delivery_recover_failures(struct delivery *delivery, const struct failures_waiting *waiting)
{
    digest_recover(delivery, waiting);
}
