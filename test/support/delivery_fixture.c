#include "test/support/delivery_fixture.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "relay/base/clock.h"
#include "relay/base/list.h"
#include "relay/base/secret.h"
#include "relay/base/thread.h"
#include "relay/spool/queue_id.h"
#include "test/support/test_support.h"

event_sink *delivery_fixture_sink;
const char *delivery_fixture_from_domain;
const struct io *delivery_fixture_io;

static void note_event(void *owner, const struct event *event)
{
    struct delivery_fixture *fixture = owner;
    struct noted_event *noted = calloc(1, sizeof(*noted));

    noted->kind = event->kind;
    for (unsigned i = 0; i < event->n_fields; i++) {
        const struct event_field *field = &event->fields[i];
        char(*row)[600] = noted->fields[noted->n_fields];

        if (field->type == FIELD_TYPE_TEXT && !field->text.data)
            continue;
        snprintf(row[0], sizeof(row[0]), "%s", field->name);
        if (field->type == FIELD_TYPE_TEXT)
            slice_copy_to(field->text, row[1], sizeof(row[1]));
        else
            snprintf(row[1], sizeof(row[1]), "%lld", (long long)field->number);
        noted->n_fields++;
    }
    pthread_mutex_lock(&fixture->lock);
    *fixture->last = noted;
    fixture->last = &noted->next;
    pthread_cond_broadcast(&fixture->changed);
    pthread_mutex_unlock(&fixture->lock);
}

const char *noted_value(const struct noted_event *event, const char *field)
{
    for (unsigned i = 0; i < event->n_fields; i++)
        if (strcmp(event->fields[i][0], field) == 0)
            return event->fields[i][1];
    return "";
}

static const struct noted_event *find_event(const struct delivery_fixture *fixture,
                                            enum event_kind kind, const char *field,
                                            const char *value, unsigned at)
{
    for (const struct noted_event *event = fixture->first; event; event = event->next)
        if (event->kind == kind && (!field || strcmp(noted_value(event, field), value) == 0) &&
            at-- == 0)
            return event;
    return NULL;
}

const struct noted_event *delivery_fixture_await(struct delivery_fixture *fixture,
                                                 enum event_kind kind, const char *field,
                                                 const char *value, unsigned at)
{
    const struct noted_event *found;
    struct timespec until;
    int error = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += FIXTURE_PATIENCE_MS / 1000;
    pthread_mutex_lock(&fixture->lock);
    while (!(found = find_event(fixture, kind, field, value, at)) && error == 0)
        error = pthread_cond_timedwait(&fixture->changed, &fixture->lock, &until);
    pthread_mutex_unlock(&fixture->lock);
    if (!found)
        fail_msg("no event %s with %s=%s", event_name(kind), field ? field : "-",
                 value ? value : "-");
    return found;
}

unsigned delivery_fixture_count(struct delivery_fixture *fixture, enum event_kind kind)
{
    unsigned n = 0;

    pthread_mutex_lock(&fixture->lock);
    for (const struct noted_event *event = fixture->first; event; event = event->next)
        n += event->kind == kind;
    pthread_mutex_unlock(&fixture->lock);
    return n;
}

/* ---- start and end ---- */

static void on_committed(void *owner, struct stored *stored, const struct envelope *envelope)
{
    delivery_admit(((struct delivery_fixture *)owner)->delivery, stored, envelope);
}

static void on_written(void *owner, struct stored *stored, const struct envelope *envelope)
{
    delivery_foresee(((struct delivery_fixture *)owner)->delivery, stored, envelope);
}

static void on_recovered(void *owner, struct stored *stored, const struct recipient_row *rows,
                         uint32_t n_rows)
{
    delivery_recover(((struct delivery_fixture *)owner)->delivery, stored, rows, n_rows);
}

static void on_recovery_undone(void *owner)
{
    delivery_forget_recovered(((struct delivery_fixture *)owner)->delivery);
}

static void on_failures(void *owner, const struct failures_waiting *waiting)
{
    delivery_recover_failures(((struct delivery_fixture *)owner)->delivery, waiting);
}

static bool opens_at_once(void *owner, const struct envelope *envelope)
{
    return delivery_opens_at_once(((struct delivery_fixture *)owner)->delivery, envelope);
}

static void settle_doubt(void *owner, const struct stored *stored, struct recipient_row *row)
{
    delivery_settle_doubt(((struct delivery_fixture *)owner)->delivery, stored, row);
}

static void *run_loop(void *argument)
{
    loop_run(argument);
    return NULL;
}

static void start_delivery(struct delivery_fixture *fixture, struct delivery_settings *settings)
{
    static const struct ip_address nowhere = {
        {127, 0, 0, 1},
        AF_INET
    };
    struct socket_address forwarder = socket_address_of(nowhere, 9);
    struct delivery_parts parts = {
        .loops = fixture->loops,
        .n_loops = FIXTURE_LOOPS,
        .resolver = {.mode = RESOLVER_FORWARD, .forwarders = &forwarder, .n_forwarders = 1},
    };

    if (!settings->hostname)
        settings->hostname = "relay.example";
    if (settings->retry.n_steps == 0)
        settings->retry = (struct retry){{1000}, 1};
    if (settings->expire_ms == 0)
        settings->expire_ms = 3600000;
    assert_int_equal(delivery_start(&fixture->delivery, &parts, settings), 0);
}

static void start_spool(struct delivery_fixture *fixture)
{
    struct spool_settings settings = {
        .dir = fixture->dir,
        .segment_bytes = 1 << 20,
        .min_free_bytes = 1 << 20,
        .min_free_inodes_percent = 1,
        .reserve_bytes = 1 << 16,
        .io = delivery_fixture_io,
        .callbacks = {.owner = fixture,
                      .on_written = on_written,
                      .on_committed = on_committed,
                      .on_recovered = on_recovered,
                      .on_recovery_undone = on_recovery_undone,
                      .on_failures = on_failures,
                      .opens_at_once = opens_at_once,
                      .settle_doubt = settle_doubt},
    };

    assert_int_equal(spool_start(&fixture->spool, &settings), 0);
    delivery_use_spool(fixture->delivery, fixture->spool);
    delivery_recovered(fixture->delivery);
}

static struct delivery_fixture *start_in(const char *dir, struct delivery_settings *settings)
{
    struct delivery_fixture *fixture = calloc(1, sizeof(*fixture));
    char folder[96];

    assert_int_equal(secret_start(), 0);
    snprintf(fixture->dir, sizeof(fixture->dir), "%s", dir);
    pthread_mutex_init(&fixture->lock, NULL);
    pthread_cond_init(&fixture->changed, NULL);
    fixture->last = &fixture->first;
    event_set_sink(delivery_fixture_sink ? delivery_fixture_sink : note_event, fixture);
    assert_int_equal(mailbox_new(&fixture->answers, 64), 0);
    for (unsigned i = 0; i < FIXTURE_LOOPS; i++)
        assert_int_equal(loop_new(&fixture->loops[i], i, 1024), 0);
    start_delivery(fixture, settings);
    start_spool(fixture);
    snprintf(folder, sizeof(folder), "%s/db", fixture->dir);
    assert_true(mkdir(folder, 0700) == 0 || errno == EEXIST);
    assert_int_equal(registry_open(&fixture->registry, folder), 0);
    delivery_subscribe(fixture->delivery, fixture->registry);
    assert_int_equal(registry_start(fixture->registry), 0);
    for (unsigned i = 0; i < FIXTURE_LOOPS; i++)
        assert_int_equal(thread_start(&fixture->threads[i], "loop", run_loop, fixture->loops[i]),
                         0);
    return fixture;
}

struct delivery_fixture *delivery_fixture_start(struct delivery_settings settings)
{
    char dir[64];

    snprintf(dir, sizeof(dir), "/tmp/delivery-test.XXXXXX");
    assert_non_null(mkdtemp(dir));
    return start_in(dir, &settings);
}

static void wait_answer(struct delivery_fixture *fixture, const bool *is_done)
{
    while (!*is_done) {
        assert_true(mailbox_wait(fixture->answers, FIXTURE_PATIENCE_MS));
        mailbox_run(fixture->answers);
    }
}

struct awaited_drain {
    struct delivery_drain drain;
    bool is_done;
};

static void on_drained(struct delivery_drain *drain)
{
    CONTAINER_OF(drain, struct awaited_drain, drain)->is_done = true;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

static void drain(struct delivery_fixture *fixture)
{
    struct awaited_drain awaited = {
        .drain = {.answer_to = fixture->answers, .done = on_drained}
    };

    delivery_drain(fixture->delivery, &awaited.drain);
    wait_answer(fixture, &awaited.is_done);
}

void delivery_fixture_stop(struct delivery_fixture *fixture)
{
    delivery_fixture_end(fixture, true);
}

static void stop(struct delivery_fixture *fixture)
{
    for (unsigned i = 0; i < FIXTURE_LOOPS; i++)
        loop_stop(fixture->loops[i]);
    for (unsigned i = 0; i < FIXTURE_LOOPS; i++)
        pthread_join(fixture->threads[i], NULL);
    registry_stop(fixture->registry);
    spool_stop(fixture->spool);
    delivery_free(fixture->delivery);
    for (unsigned i = 0; i < FIXTURE_LOOPS; i++)
        loop_free(fixture->loops[i]);
    mailbox_free(fixture->answers);
    event_set_sink(NULL, NULL);
    while (fixture->first) {
        struct noted_event *next = fixture->first->next;

        free(fixture->first);
        fixture->first = next;
    }
}

void delivery_fixture_end(struct delivery_fixture *fixture, bool drains)
{
    if (drains)
        drain(fixture);
    stop(fixture);
    nftw(fixture->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(fixture);
}

struct delivery_fixture *delivery_fixture_again(struct delivery_fixture *fixture,
                                                struct delivery_settings settings)
{
    struct delivery_fixture *fresh;

    drain(fixture);
    stop(fixture);
    fresh = start_in(fixture->dir, &settings);
    free(fixture);
    return fresh;
}

/* ---- asking ---- */

struct awaited_append {
    struct spool_append append;
    bool is_done;
};

static void on_appended(struct spool_append *append)
{
    CONTAINER_OF(append, struct awaited_append, append)->is_done = true;
}

int delivery_fixture_try(struct delivery_fixture *fixture, const struct fixture_mail *mail,
                         uint64_t *id)
{
    struct recipient recipients[64];
    struct slice piece = slice_of(mail->text);
    struct envelope envelope = {
        .id = queue_id_new(),
        .arrived_utc_ms = clock_utc_ms(),
        .expires_utc_ms = clock_utc_ms() + (mail->life_ms ? mail->life_ms : 3600000),
        .user_id = 1,
        .user = slice_of("tester"),
        .sender = slice_of(mail->sender),
        .from_domain = slice_of(delivery_fixture_from_domain),
        .flags = mail->flags,
        .recipients = recipients,
    };
    struct awaited_append awaited = {
        .append = {.answer_to = fixture->answers,
                   .done = on_appended,
                   .envelope = &envelope,
                   .pieces = &piece,
                   .n_pieces = 1}
    };

    for (const char *const *one = mail->recipients; *one; one++)
        recipients[envelope.n_recipients++] =
            (struct recipient){.address = slice_of(*one), .notify = mail->notify};
    awaited.append.header_bytes = (uint32_t)(strstr(mail->text, "\r\n\r\n") - mail->text + 4);
    assert_true(spool_append(fixture->spool, &awaited.append));
    wait_answer(fixture, &awaited.is_done);
    *id = envelope.id;
    return awaited.append.result;
}

uint64_t delivery_fixture_send(struct delivery_fixture *fixture, const struct fixture_mail *mail)
{
    uint64_t id = 0;

    assert_int_equal(delivery_fixture_try(fixture, mail, &id), 0);
    return id;
}

struct awaited_command {
    struct delivery_command *command;
    bool is_done;
};

static struct awaited_command awaited_command;

static void on_commanded(struct delivery_command *command)
{
    (void)command;
    awaited_command.is_done = true;
}

void delivery_fixture_command(struct delivery_fixture *fixture, struct delivery_command *command)
{
    awaited_command = (struct awaited_command){.command = command};
    command->answer_to = fixture->answers;
    command->done = on_commanded;
    assert_true(delivery_command(fixture->delivery, command));
    wait_answer(fixture, &awaited_command.is_done);
}
