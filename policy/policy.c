#include "policy/policy_internal.h"

#include <errno.h>

const struct policy_settings policy_default_settings = {
    .max_sessions = 10000,
    .sessions_per_address = 200,
    .sessions_per_user = 1000,
    .outbound_connections = 20000,
    .connections_per_egress = 0,
    .connects_per_egress = 0,
    .has_brake = true,
    .n_workers = 2,
    .worker_queue = 256,
    .mailbox_capacity = 16384,
};

/* ---- time ---- */

int policy_set_due(struct policy *policy, struct due *due, int64_t at_ms)
{
    return heap_set(&policy->dues, &due->node, at_ms);
}

void policy_cancel_due(struct policy *policy, struct due *due)
{
    heap_remove(&policy->dues, &due->node);
}

static int wait_ms(const struct policy *policy)
{
    const struct heap_node *first = heap_first(&policy->dues);
    int64_t ms;

    if (!first)
        return -1;
    ms = first->key - clock_monotonic_ms();
    if (ms < 0)
        return 0;
    return ms < 60000 ? (int)ms : 60000;
}

static void run_dues(struct policy *policy)
{
    int64_t now_ms = clock_monotonic_ms();
    struct heap_node *first;

    while ((first = heap_first(&policy->dues)) && first->key <= now_ms) {
        struct due *due = CONTAINER_OF(first, struct due, node);

        heap_remove(&policy->dues, first);
        due->fire(policy, due);
    }
}

/* ---- the thread ---- */

static void receive_directory(struct directory_subscriber *subscriber, struct directory *directory)
{
    struct policy *policy = CONTAINER_OF(subscriber, struct policy, subscriber);

    directory_unref(policy->directory);
    policy->directory = directory;
    quotas_directory_changed(policy);
    permits_directory_changed(policy);
}

static void run_stop(struct task *task)
{
    struct policy *policy = CONTAINER_OF(task, struct policy, stop);

    policy->is_stopping = true;
    policy->workers = worker_pool_stop(policy->workers); /* what waits is answered as cancelled */
    authenticator_stop(policy);
    permits_stop(policy);
    quotas_stop(policy);
    warm_ups_stop(policy);
    rule_words_stop(policy);
}

static void *run(void *argument)
{
    struct policy *policy = argument;

    thread_own(&policy->owner);
    while (!policy->is_stopping || policy->n_outstanding) {
        mailbox_wait(policy->mailbox, wait_ms(policy));
        mailbox_run(policy->mailbox);
        run_dues(policy);
    }
    return NULL;
}

static void apply_settings(struct policy *policy, const struct policy_settings *settings)
{
    policy->settings = *settings;
    policy->sessions.limits = (struct session_limits){
        .in_all = settings->max_sessions,
        .per_address = settings->sessions_per_address,
        .per_user = settings->sessions_per_user,
    };
    permits_apply_settings(policy);
}

static int prepare(struct policy *policy)
{
    int error = mailbox_new(&policy->mailbox, policy->settings.mailbox_capacity);

    if (!error)
        error = authenticator_init(&policy->authenticator);
    if (!error)
        error = quotas_init(policy);
    if (!error)
        error = warm_ups_init(policy);
    bounce_counts_init(&policy->bounces);
    if (!error)
        error = worker_pool_start(&policy->workers, policy->settings.n_workers,
                                  policy->settings.worker_queue);
    return error;
}

int policy_start(struct policy **out, const struct policy_settings *settings,
                 struct registry *registry)
{
    struct policy *policy = calloc(1, sizeof(*policy));
    int error;

    if (!policy)
        return FAULT(-ENOMEM);
    apply_settings(policy, settings);
    list_init(&policy->tickets_out);
    policy->registry = registry;
    policy->stop.run = run_stop;
    error = prepare(policy);
    if (!error)
        error = thread_start(&policy->thread, "policy", run, policy);
    policy->is_running = !error;
    if (error) {
        policy_stop(policy);
        return error;
    }
    policy->subscriber.mailbox = policy->mailbox;
    policy->subscriber.receive = receive_directory;
    registry_subscribe(registry, &policy->subscriber);
    *out = policy;
    return 0;
}

static void free_policy(struct policy *policy)
{
    authenticator_fini(&policy->authenticator);
    sessions_fini(policy);
    permits_fini(policy);
    quotas_fini(policy);
    warm_ups_fini(policy);
    rule_words_fini(policy);
    bounce_counts_fini(&policy->bounces);
    heap_fini(&policy->dues);
    directory_unref(policy->directory);
    mailbox_free(policy->mailbox);
    free(policy);
}

struct policy *policy_stop(struct policy *policy)
{
    if (!policy)
        return NULL;
    if (policy->is_running) {
        mailbox_answer(policy->mailbox, &policy->stop);
        pthread_join(policy->thread, NULL);
        registry_unsubscribe(policy->registry, &policy->subscriber);
        mailbox_run(policy->mailbox); /* tickets and settings that came in the meantime */
    }
    worker_pool_stop(policy->workers);
    free_policy(policy);
    return NULL;
}

struct worker_pool *policy_workers(struct policy *policy)
{
    return policy->workers;
}

/* ---- new settings ---- */

struct reload {
    struct task task;
    struct policy *policy;
    struct policy_settings settings;
};

static void run_reload(struct task *task)
{
    struct reload *reload = (struct reload *)(void *)task;

    apply_settings(reload->policy, &reload->settings);
    free(reload);
}

int policy_reload(struct policy *policy, const struct policy_settings *settings)
{
    struct reload *reload = calloc(1, sizeof(*reload));

    if (!reload)
        return FAULT(-ENOMEM);
    *reload = (struct reload){{.run = run_reload}, policy, *settings};
    mailbox_answer(policy->mailbox, &reload->task);
    return 0;
}
