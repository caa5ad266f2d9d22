/* For tests of the API's handlers: the panel's state with a real registry behind it, fake loops,
 * and exchanges without HTTP.  The test's thread is the panel's. */
#pragma once

#include "test/support/test_support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "relay/base/secret.h"
#include "relay/control/config.h"
#include "webui/routes.h"

static char folder[64];
static struct registry *registry;
static struct webui *webui;
static bool is_busy; /* the fake loops take nothing */
static struct service_status status;

/* What the fake loops were asked last, and what they answer. */
static enum delivery_verb asked_verb;
static struct selection asked; /* .ids are gone: asked_ids has them */
static uint64_t asked_ids[4];
static uint64_t n_selected;
static struct slice asked_name;
static struct destination_view site = {
    .name = "mx.dest.example", .n_waiting = 3, .state = WHY_RETRY, .until_utc_ms = 60000};
static struct why_view why = {.id = 77,
                              .n = 1,
                              .entry_state = ENTRY_WAITING,
                              .kind = WHY_RETRY,
                              .until_utc_ms = -1,
                              .reason = "450 Later"};
static unsigned n_whys;

static inline void run_command_done(struct task *task)
{
    struct delivery_command *command = CONTAINER_OF(task, struct delivery_command, task);

    command->done(command);
}

static inline bool fake_command(void *owner, struct delivery_command *command)
{
    (void)owner;
    asked_verb = command->verb;
    asked = command->selection;
    for (size_t i = 0; i < asked.n_ids && i < 4; i++)
        asked_ids[i] = asked.ids[i];
    command->n_selected = n_selected;
    command->n_by_state[ENTRY_WAITING] = n_selected;
    command->task.run = run_command_done;
    if (!is_busy)
        mailbox_answer(command->answer_to, &command->task);
    return !is_busy;
}

static inline void run_destinations_done(struct task *task)
{
    struct delivery_destinations *request = CONTAINER_OF(task, struct delivery_destinations, task);

    request->done(request);
}

static inline bool fake_destinations(void *owner, struct delivery_destinations *request)
{
    (void)owner;
    asked_name = request->name;
    request->views = BUFFER_INIT;
    buffer_append(&request->views, slice_from(&site, sizeof(site)));
    request->task.run = run_destinations_done;
    if (!is_busy)
        mailbox_answer(request->answer_to, &request->task);
    else
        buffer_fini(&request->views);
    return !is_busy;
}

static inline void run_domains_done(struct task *task)
{
    struct delivery_domains *request = CONTAINER_OF(task, struct delivery_domains, task);

    request->done(request);
}

static inline bool fake_domains(void *owner, struct delivery_domains *request)
{
    (void)owner;
    request->counts = BUFFER_INIT;
    buffer_append_u32(&request->counts, 3);
    buffer_append_u32(&request->counts, 60);
    buffer_append_counted(&request->counts, SLICE_LITERAL("dest.example"));
    request->task.run = run_domains_done;
    mailbox_answer(request->answer_to, &request->task);
    return true;
}

static inline void run_sending_done(struct task *task)
{
    struct delivery_sending *request = CONTAINER_OF(task, struct delivery_sending, task);

    request->done(request);
}

/* Nothing is being sent. */
static inline bool fake_sending(void *owner, struct delivery_sending *request)
{
    (void)owner;
    request->pairs = BUFFER_INIT;
    request->task.run = run_sending_done;
    mailbox_answer(request->answer_to, &request->task);
    return true;
}

static inline void run_why_done(struct task *task)
{
    struct delivery_why *request = CONTAINER_OF(task, struct delivery_why, task);

    request->done(request);
}

static inline bool fake_why(void *owner, struct delivery_why *request)
{
    (void)owner;
    asked_name = request->name;
    request->views = BUFFER_INIT;
    for (unsigned i = 0; i < n_whys; i++)
        buffer_append(&request->views, slice_from(&why, sizeof(why)));
    request->task.run = run_why_done;
    mailbox_answer(request->answer_to, &request->task);
    return true;
}

static inline void fake_status(void *owner, struct service_status *out)
{
    (void)owner;
    *out = status;
}

static inline void run_lift_done(struct task *task)
{
    struct delivery_lift *request = CONTAINER_OF(task, struct delivery_lift, task);

    request->done(request);
}

/* No site was at rest. */
static bool fake_lift(void *owner, struct delivery_lift *request)
{
    (void)owner;
    request->n_sites = 0;
    request->task.run = run_lift_done;
    if (!is_busy)
        mailbox_answer(request->answer_to, &request->task);
    return !is_busy;
}

static const struct operations fake_operations = {.command = fake_command,
                                                  .sending = fake_sending,
                                                  .destinations = fake_destinations,
                                                  .domains = fake_domains,
                                                  .lift = fake_lift,
                                                  .why = fake_why};

static inline int remove_entry(const char *path, const struct stat *about, int kind,
                               struct FTW *position)
{
    (void)about, (void)kind, (void)position;
    return remove(path);
}

static inline int start_serving(void **state)
{
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;

    (void)state;
    assert_int_equal(secret_start(), 0);
    snprintf(folder, sizeof(folder), "/tmp/staffetta-webui-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(registry_open(&registry, folder), 0);
    assert_int_equal(webui_new(&webui, registry), 0);
    assert_int_equal(registry_start(registry), 0);
    webui->parts = (struct webui_parts){.panel_fd = -1,
                                        .registry = registry,
                                        .operations = &fake_operations,
                                        .status = fake_status};
    assert_int_equal(config_parse(&webui->settings, "t",
                                  slice_of("route \"*\" { via = \"h\" password = \"seKret\" }"),
                                  &problem),
                     0);
    assert_true(mailbox_wait(webui->mailbox, 60000));
    mailbox_run(webui->mailbox);
    assert_non_null(webui->directory);
    return 0;
}

static inline int stop_serving(void **state)
{
    (void)state;
    registry = registry_stop(registry);
    mailbox_run(webui->mailbox);
    webui = webui_free(webui);
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static inline struct exchange *new_exchange(enum http_method method, const char *path,
                                            const char *body)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));

    assert_non_null(exchange);
    exchange->webui = webui;
    exchange->method = method;
    exchange->path = path;
    exchange->is_local = true;
    snprintf(exchange->by, sizeof(exchange->by), "uid 0");
    arena_init(&exchange->arena, EXCHANGE_MEMORY);
    buffer_init(&exchange->upload, EXCHANGE_MAX_BODY);
    if (body)
        buffer_append_text(&exchange->upload, body);
    return exchange;
}

static inline void await_answer(const struct exchange *exchange)
{
    while (!exchange->status) {
        assert_true(mailbox_wait(webui->mailbox, 10000));
        mailbox_run(webui->mailbox);
    }
}

/* Runs a request to its answer; free it with exchange_free(). */
static inline struct exchange *serve(enum http_method method, const char *path, const char *body)
{
    struct exchange *exchange = new_exchange(method, path, body);

    if (exchange_read_body(exchange))
        routes_dispatch(exchange);
    await_answer(exchange);
    return exchange;
}

/* Serves and returns what was said; its status must be as given.  The caller's. */
static inline json_t *served(enum http_method method, const char *path, const char *body,
                             unsigned wanted)
{
    struct exchange *exchange = serve(method, path, body);
    json_t *said = exchange->text ? json_loads(exchange->text, 0, NULL) : json_null();

    if (exchange->status != wanted)
        fail_msg("%s: %u %s", path, exchange->status, exchange->text ? exchange->text : "");
    assert_non_null(said);
    exchange_free(exchange);
    return said;
}

static inline void assert_refused(enum http_method method, const char *path, const char *body,
                                  unsigned wanted, const char *code)
{
    json_t *said = served(method, path, body, wanted);

    assert_string_equal(json_string_value(json_object_get(said, "code")), code);
    json_decref(said);
}

static inline void assert_done(enum http_method method, const char *path, const char *body)
{
    json_decref(served(method, path, body, 204));
}
