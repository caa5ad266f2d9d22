#include "policy/registry_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "policy/directory_internal.h"
#include "relay/base/list.h"

enum { MAILBOX_CAPACITY = 1024, RETRY_MS = 1000 };

static const char *const result_names[] = {
    [REGISTRY_OK] = "ok",
    [REGISTRY_EXISTS] = "exists",
    [REGISTRY_NOT_FOUND] = "not_found",
    [REGISTRY_INVALID_NAME] = "invalid_name",
    [REGISTRY_INVALID_SENDER] = "invalid_sender",
    [REGISTRY_NEEDS_SENDER] = "needs_sender",
    [REGISTRY_INVALID_NETWORK] = "invalid_network",
    [REGISTRY_WEAK_PASSWORD] = "weak_password",
    [REGISTRY_INVALID_HASH] = "invalid_hash",
    [REGISTRY_INVALID_VALUE] = "invalid_value",
    [REGISTRY_NOT_JUDGED] = "not_judged",
    [REGISTRY_LAST_OWNER] = "last_owner",
    [REGISTRY_SUSPENDED] = "suspended",
    [REGISTRY_FAILED] = "failed",
};

const char *registry_result_name(enum registry_result result)
{
    return result_names[result];
}

/* ---- snapshots ---- */

static void deliver(struct task *task)
{
    struct directory_subscriber *subscriber = CONTAINER_OF(task, struct directory_subscriber, task);
    struct directory *newest = atomic_exchange(&subscriber->newest, NULL);

    if (newest)
        subscriber->receive(subscriber, newest);
}

/* While the task is queued it takes along whatever is the newest when it runs. */
static void publish_to(struct directory_subscriber *subscriber, struct directory *directory)
{
    struct directory *before = atomic_exchange(&subscriber->newest, directory_ref(directory));

    if (before)
        directory_unref(before);
    else
        mailbox_answer(subscriber->mailbox, &subscriber->task);
}

static int publish(struct registry *registry)
{
    struct directory *next;
    int error = directory_load(&next, registry->db, registry->current->version + 1);

    if (error)
        return error;
    directory_unref(registry->current);
    registry->current = next;
    registry->is_stale = false;
    for (struct directory_subscriber *s = registry->subscribers; s; s = s->next)
        publish_to(s, next);
    return 0;
}

void registry_subscribe(struct registry *registry, struct directory_subscriber *subscriber)
{
    assert(!registry->is_running);
    atomic_init(&subscriber->newest, NULL);
    subscriber->task = (struct task){.run = deliver};
    subscriber->next = registry->subscribers;
    registry->subscribers = subscriber;
    publish_to(subscriber, registry->current);
}

static void unlink_subscriber(struct registry *registry, struct directory_subscriber *subscriber)
{
    struct directory_subscriber **link = &registry->subscribers;

    while (*link && *link != subscriber)
        link = &(*link)->next;
    if (*link)
        *link = subscriber->next;
    directory_unref(atomic_exchange(&subscriber->newest, NULL));
}

static void left(struct task *task)
{
    CONTAINER_OF(task, struct registry, leave)->leaving = NULL;
}

static void run_leave(struct task *task)
{
    struct registry *registry = CONTAINER_OF(task, struct registry, leave);

    unlink_subscriber(registry, registry->leaving);
    task->run = left;
    mailbox_answer(registry->starter, task);
}

void registry_unsubscribe(struct registry *registry, struct directory_subscriber *subscriber)
{
    if (!registry->is_running) {
        unlink_subscriber(registry, subscriber);
        return;
    }
    registry->leaving = subscriber;
    registry->leave.run = run_leave;
    mailbox_answer(registry->mailbox, &registry->leave);
    while (registry->leaving) {
        mailbox_wait(registry->starter, -1);
        mailbox_run(registry->starter);
    }
}

/* ---- requests ---- */

void registry_say(struct registry_request *request, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(request->sentence, sizeof(request->sentence), format, arguments);
    va_end(arguments);
}

enum registry_result registry_stored(struct registry_request *request, int error)
{
    return error ? registry_error(request, error) : REGISTRY_OK;
}

void registry_log(struct registry_request *request, enum event_kind event,
                  const struct event_field *fields, unsigned n_fields)
{
    assert(n_fields < REGISTRY_EVENT_FIELDS);
    request->event = event;
    memcpy(request->fields, fields, n_fields * sizeof(fields[0]));
    request->fields[n_fields] = field_slice("by", request->by);
    request->n_fields = n_fields + 1;
}

int registry_run_number(struct registry *registry, enum staffetta_statement statement,
                        int64_t number)
{
    struct statement *change = db_statement(registry->db, statement);

    bind_number(change, 1, number);
    return statement_run(change);
}

int registry_run_number_text(struct registry *registry, enum staffetta_statement statement,
                             int64_t number, struct slice text)
{
    struct statement *change = db_statement(registry->db, statement);

    bind_number(change, 1, number);
    bind_text(change, 2, text);
    return statement_run(change);
}

static enum registry_result perform(struct registry *registry, struct registry_request *request)
{
    int error = db_begin(registry->db);
    enum registry_result result;

    if (error)
        return registry_error(request, error);
    result = request->perform(registry, request);
    if (result != REGISTRY_OK) {
        db_rollback(registry->db);
        return result;
    }
    error = db_commit(registry->db);
    return error ? registry_error(request, error) : REGISTRY_OK;
}

static void run_request(struct task *task)
{
    struct registry_request *request = (struct registry_request *)(void *)task;
    struct registry *registry = request->registry;

    ASSERT_OWNED(registry->owner);
    request->result = perform(registry, request);
    if (request->result == REGISTRY_OK) {
        registry->is_stale |= request->changes_directory;
        if (request->n_fields)
            event_emit(request->event, request->fields, request->n_fields);
    }
    task->next = NULL;
    *registry->last_finished = task;
    registry->last_finished = &task->next;
}

bool registry_ask(struct registry *registry, struct registry_request *request, registry_verb *verb,
                  bool changes_directory)
{
    request->task = (struct task){.run = run_request};
    request->registry = registry;
    request->perform = verb;
    request->changes_directory = changes_directory;
    request->n_fields = 0;
    request->sentence[0] = '\0';
    return mailbox_post(registry->mailbox, &request->task);
}

static void run_done(struct task *task)
{
    struct registry_request *request = (struct registry_request *)(void *)task;

    request->done(request);
}

/* Everything queued was committed; subscribers first, answers after. */
static void finish_batch(struct registry *registry)
{
    int error = registry->is_stale ? publish(registry) : 0;
    struct task *task = registry->finished;

    registry->finished = NULL;
    registry->last_finished = &registry->finished;
    while (task) {
        struct registry_request *request = (struct registry_request *)(void *)task;

        task = task->next;
        if (error && request->changes_directory && request->result == REGISTRY_OK)
            request->result =
                refuse(request, REGISTRY_FAILED, "the change is stored, but not yet in force: %s",
                       strerror(-error));
        request->task.run = run_done;
        mailbox_answer(request->answer_to, &request->task);
    }
}

/* ---- the thread ---- */

static void run_stop(struct task *task)
{
    CONTAINER_OF(task, struct registry, stop)->is_stopping = true;
}

void registry_turn(struct registry *registry)
{
    mailbox_run(registry->mailbox);
    finish_batch(registry);
}

static void *run(void *argument)
{
    struct registry *registry = argument;

    thread_own(&registry->owner);
    while (!registry->is_stopping) {
        mailbox_wait(registry->mailbox, registry->is_stale ? RETRY_MS : -1);
        registry_turn(registry);
    }
    return NULL;
}

static int open_database(struct registry *registry, const char *folder)
{
    char path[4096];
    int error;

    if (snprintf(path, sizeof(path), "%s/staffetta.db", folder) >= (int)sizeof(path))
        return FAULT(-ENAMETOOLONG);
    error = db_open(&registry->db, path, &staffetta_schema, DB_WRITE, NULL);
    return error ? error : directory_load(&registry->current, registry->db, 1);
}

int registry_open(struct registry **out, const char *folder)
{
    struct registry *registry = calloc(1, sizeof(*registry));
    int error;

    if (!registry)
        return FAULT(-ENOMEM);
    registry->last_finished = &registry->finished;
    registry->stop.run = run_stop;
    error = mailbox_new(&registry->mailbox, MAILBOX_CAPACITY);
    if (!error)
        error = mailbox_new(&registry->starter, 1);
    if (!error)
        error = open_database(registry, folder);
    if (error) {
        registry_stop(registry);
        return error;
    }
    *out = registry;
    return 0;
}

int registry_start(struct registry *registry)
{
    int error = thread_start(&registry->thread, "settings", run, registry);

    registry->is_running = !error;
    return error;
}

struct registry *registry_stop(struct registry *registry)
{
    if (!registry)
        return NULL;
    if (registry->is_running) {
        mailbox_answer(registry->mailbox, &registry->stop);
        pthread_join(registry->thread, NULL);
    }
    for (struct directory_subscriber *s = registry->subscribers; s; s = s->next)
        directory_unref(atomic_exchange(&s->newest, NULL));
    directory_unref(registry->current);
    db_close(registry->db);
    mailbox_free(registry->mailbox);
    mailbox_free(registry->starter);
    free(registry);
    return NULL;
}
