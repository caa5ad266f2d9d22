#include "relay/intake/intake.h"

#include <errno.h>
#include <stdlib.h>

#include "relay/base/list.h"
#include "relay/intake/shard.h"

struct intake {
    struct intake_parts parts;

    struct message_memory memory;
    struct intake_shard shards[];
};

int intake_new(struct intake **out, const struct intake_parts *parts)
{
    struct intake *intake = calloc(1, sizeof(*intake) + parts->n_loops * sizeof(intake->shards[0]));

    if (!intake)
        return FAULT(-ENOMEM);
    intake->parts = *parts;
    for (unsigned i = 0; i < parts->n_loops; i++)
        intake_shard_init(&intake->shards[i], intake, parts->loops[i], &intake->parts,
                          &intake->memory);
    *out = intake;
    return 0;
}

struct intake *intake_free(struct intake *intake)
{
    if (!intake)
        return NULL;
    for (unsigned i = 0; i < intake->parts.n_loops; i++)
        intake_shard_fini(&intake->shards[i]);
    free(intake);
    return NULL;
}

void intake_subscribe(struct intake *intake, struct registry *registry)
{
    for (unsigned i = 0; i < intake->parts.n_loops; i++)
        registry_subscribe(registry, &intake->shards[i].subscriber);
}

/* A new config on its way to one shard. */
struct apply_task {
    struct task task;
    struct intake_shard *shard;
    struct intake_config *config;
    struct intake_applied *applied;
};

static void run_applied(struct task *task)
{
    struct intake_applied *applied = CONTAINER_OF(task, struct intake_applied, task);

    applied->done(applied);
}

static void run_apply(struct task *task)
{
    struct apply_task *apply = CONTAINER_OF(task, struct apply_task, task);

    intake_shard_apply(apply->shard, apply->config);
    if (atomic_fetch_sub(&apply->applied->n_left, 1) == 1)
        mailbox_answer(apply->applied->answer_to, &apply->applied->task);
    free(apply);
}

static void free_tasks(struct task *task)
{
    while (task) {
        struct task *next = task->next;

        free(CONTAINER_OF(task, struct apply_task, task));
        task = next;
    }
}

/* One for each loop, linked; NULL without memory for all, and then nothing was posted. */
static struct task *make_tasks(unsigned n_loops)
{
    struct task *first = NULL;

    for (unsigned i = 0; i < n_loops; i++) {
        struct apply_task *apply = calloc(1, sizeof(*apply));

        if (!apply) {
            free_tasks(first);
            return NULL;
        }
        apply->task.next = first;
        first = &apply->task;
    }
    return first;
}

static void post_config(struct intake *intake, struct intake_config *config, struct task *task,
                        struct intake_applied *applied)
{
    applied->task.run = run_applied;
    atomic_store(&applied->n_left, intake->parts.n_loops);
    atomic_store(&intake->memory.limit, config->settings.body_memory);
    for (unsigned i = 0; task; i++) {
        struct apply_task *apply = CONTAINER_OF(task, struct apply_task, task);

        task = task->next; /* posting links it anew */
        apply->task.run = run_apply;
        apply->shard = &intake->shards[i];
        apply->config = intake_config_ref(config);
        apply->applied = applied;
        mailbox_answer(loop_mailbox(intake->parts.loops[i]), &apply->task);
    }
}

int intake_apply(struct intake *intake, const struct intake_settings *settings,
                 struct tls_context *tls, const struct intake_listener *listeners,
                 size_t n_listeners, struct intake_applied *applied)
{
    struct task *tasks = make_tasks(intake->parts.n_loops);
    struct intake_config *config = NULL;
    int error;

    if (!tasks)
        return FAULT(-ENOMEM);
    error = intake_config_new(&config, settings, tls, listeners, n_listeners);
    if (error < 0) {
        free_tasks(tasks);
        return error;
    }
    post_config(intake, config, tasks, applied);
    intake_config_unref(config);
    return 0;
}

struct drain_task {
    struct task task;
    struct intake_shard *shard;
    struct intake_drain *drain;
};

static void run_drain(struct task *task)
{
    struct drain_task *order = CONTAINER_OF(task, struct drain_task, task);

    intake_shard_drain(order->shard, order->drain);
    free(order);
}

static void run_drained(struct task *task)
{
    struct intake_drain *drain = CONTAINER_OF(task, struct intake_drain, task);

    drain->done(drain);
}

void intake_drain(struct intake *intake, struct intake_drain *drain)
{
    drain->task.run = run_drained;
    atomic_store(&drain->n_left, intake->parts.n_loops);
    for (unsigned i = 0; i < intake->parts.n_loops; i++) {
        struct drain_task *order = malloc(sizeof(*order));

        if (!order) {
            /* Without memory to ask: this shard's sessions end with the process. */
            if (atomic_fetch_sub(&drain->n_left, 1) == 1)
                mailbox_answer(drain->answer_to, &drain->task);
            continue;
        }
        *order = (struct drain_task){{.run = run_drain}, &intake->shards[i], drain};
        mailbox_answer(loop_mailbox(intake->parts.loops[i]), &order->task);
    }
}

unsigned intake_n_accepting(const struct intake *intake)
{
    unsigned n = 0;

    for (unsigned i = 0; i < intake->parts.n_loops; i++)
        n += atomic_load(&intake->shards[i].n_accepting);
    return n;
}
