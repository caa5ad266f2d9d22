#include "test/support/spool_fixture.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/base/clock.h"
#include "relay/base/list.h"
#include "relay/base/secret.h"
#include "relay/spool/queue_id.h"
#include "test/support/io_shim.h"

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

void fixture_remove_folder(const char *dir)
{
    nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void on_committed(void *owner, struct stored *stored, const struct envelope *envelope)
{
    struct spool_fixture *fixture = owner;

    (void)envelope;
    pthread_mutex_lock(&fixture->lock);
    if (fixture->n_committed < FIXTURE_MOST)
        fixture->committed[fixture->n_committed++] = stored;
    else
        stored_unref(stored);
    pthread_mutex_unlock(&fixture->lock);
}

static void on_recovered(void *owner, struct stored *stored, const struct recipient_row *rows,
                         uint32_t n_rows)
{
    struct spool_fixture *fixture = owner;

    if (fixture->n_recovered == FIXTURE_MOST) {
        stored_unref(stored);
        return;
    }
    fixture->recovered[fixture->n_recovered++] = stored;
    for (uint32_t i = 0; i < n_rows && fixture->n_rows < FIXTURE_MOST; i++) {
        struct fixture_row *row = &fixture->rows[fixture->n_rows++];

        row->id = stored->id;
        row->row = rows[i];
        slice_copy_to(rows[i].address, row->address, sizeof(row->address));
        slice_copy_to(rows[i].reply, row->reply, sizeof(row->reply));
        slice_copy_to(rows[i].host, row->host, sizeof(row->host));
    }
}

static void on_recovery_undone(void *owner)
{
    struct spool_fixture *fixture = owner;

    fixture->n_undone += fixture->n_recovered;
    for (uint32_t i = 0; i < fixture->n_recovered; i++)
        stored_unref(fixture->recovered[i]);
    fixture->n_recovered = fixture->n_rows = 0;
}

struct spool_fixture *fixture_new(void)
{
    struct spool_fixture *fixture = calloc(1, sizeof(*fixture));

    if (secret_start())
        abort();
    snprintf(fixture->dir, sizeof(fixture->dir), "%s/spool-test.XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(fixture->dir) || mailbox_new(&fixture->answers, 1024))
        abort();
    pthread_mutex_init(&fixture->lock, NULL);
    fixture->settings = (struct spool_settings){
        .dir = fixture->dir,
        .segment_bytes = 1 << 20,
        .min_free_bytes = 1 << 20,
        .min_free_inodes_percent = 1,
        .reserve_bytes = 1 << 16,
        .callbacks = {.owner = fixture,
                      .on_committed = on_committed,
                      .on_recovered = on_recovered,
                      .on_recovery_undone = on_recovery_undone},
    };
    return fixture;
}

void fixture_use_shim(struct spool_fixture *fixture)
{
    io_shim_reset(fixture->dir);
    fixture->settings.io = &io_shim;
    fixture->settings.vfs = IO_SHIM_VFS;
}

struct spool_fixture *fixture_new_on_shim(void)
{
    struct spool_fixture *fixture = fixture_new();

    fixture_use_shim(fixture);
    return fixture;
}

int fixture_start(struct spool_fixture *fixture)
{
    return spool_start(&fixture->spool, &fixture->settings);
}

void fixture_stop(struct spool_fixture *fixture)
{
    fixture->spool = spool_stop(fixture->spool);
    for (uint32_t i = 0; i < fixture->n_committed; i++)
        stored_unref(fixture->committed[i]);
    for (uint32_t i = 0; i < fixture->n_recovered; i++)
        stored_unref(fixture->recovered[i]);
    fixture->n_committed = fixture->n_recovered = fixture->n_rows = 0;
}

void fixture_free(struct spool_fixture *fixture)
{
    fixture_stop(fixture);
    mailbox_free(fixture->answers);
    pthread_mutex_destroy(&fixture->lock);
    fixture_remove_folder(fixture->dir);
    free(fixture);
}

uint32_t fixture_n_committed(struct spool_fixture *fixture)
{
    uint32_t n_committed;

    pthread_mutex_lock(&fixture->lock);
    n_committed = fixture->n_committed;
    pthread_mutex_unlock(&fixture->lock);
    return n_committed;
}

/* By id, as they were found. */
static struct stored *find_recovered(struct spool_fixture *fixture, uint64_t id)
{
    uint32_t low = 0, high = fixture->n_recovered;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (fixture->recovered[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < fixture->n_recovered && fixture->recovered[low]->id == id ? fixture->recovered[low]
                                                                           : NULL;
}

struct stored *fixture_find(struct spool_fixture *fixture, uint64_t id)
{
    struct stored *found = NULL;

    pthread_mutex_lock(&fixture->lock);
    for (uint32_t i = fixture->n_committed; i > 0 && !found; i--) { /* mostly the newest */
        if (fixture->committed[i - 1]->id == id)
            found = fixture->committed[i - 1];
    }
    pthread_mutex_unlock(&fixture->lock);
    return found ? found : find_recovered(fixture, id);
}

static void wait_for(struct spool_fixture *fixture, const bool *is_done)
{
    while (!*is_done) {
        mailbox_wait(fixture->answers, -1);
        mailbox_run(fixture->answers);
    }
}

/* ---- appending ---- */

struct waited_append {
    struct spool_append append;
    bool is_done;
};

static void append_done(struct spool_append *append)
{
    CONTAINER_OF(append, struct waited_append, append)->is_done = true;
}

static void fill_envelope(struct envelope *envelope, struct recipient *recipients,
                          char addresses[][64], uint64_t id, uint32_t n_recipients)
{
    for (uint32_t i = 0; i < n_recipients; i++) {
        snprintf(addresses[i], 64, "user%u@example.net", i + 1);
        recipients[i] = (struct recipient){.address = slice_of(addresses[i])};
    }
    *envelope = (struct envelope){
        .id = id,
        .arrived_utc_ms = clock_utc_ms(),
        .expires_utc_ms = clock_utc_ms() + 432000000,
        .user_id = 7,
        .user = SLICE_LITERAL("news"),
        .sender = SLICE_LITERAL("news@example.org"),
        .n_recipients = n_recipients,
        .recipients = recipients,
    };
}

static int append_and_wait(struct spool_fixture *fixture, struct waited_append *waited, uint64_t id,
                           uint32_t n_recipients)
{
    char(*addresses)[64] = calloc(n_recipients, sizeof(*addresses));
    struct recipient *recipients = calloc(n_recipients, sizeof(*recipients));
    struct envelope envelope;

    fill_envelope(&envelope, recipients, addresses, id, n_recipients);
    waited->append.envelope = &envelope;
    waited->append.answer_to = fixture->answers;
    waited->append.done = append_done;
    if (spool_append(fixture->spool, &waited->append))
        wait_for(fixture, &waited->is_done);
    else
        waited->append.result = -EAGAIN;
    free(addresses);
    free(recipients);
    return waited->append.result;
}

int fixture_append(struct spool_fixture *fixture, uint64_t id, const char *body,
                   uint32_t n_recipients)
{
    const struct slice pieces[] = {SLICE_LITERAL("Subject: x\r\n\r\n"), slice_of(body)};
    struct waited_append waited = {
        .append = {.header_bytes = (uint32_t)pieces[0].len, .pieces = pieces, .n_pieces = 2}
    };

    return append_and_wait(fixture, &waited, id, n_recipients);
}

struct waited_large {
    struct spool_large_request request;
    bool is_done;
};

static void large_done(struct spool_large_request *request)
{
    CONTAINER_OF(request, struct waited_large, request)->is_done = true;
}

static int ask_large(struct spool_fixture *fixture, struct spool_large_request *request)
{
    struct waited_large waited = {.request = *request};

    waited.request.answer_to = fixture->answers;
    waited.request.done = large_done;
    if (!spool_large_ask(fixture->spool, &waited.request))
        return -EAGAIN;
    wait_for(fixture, &waited.is_done);
    request->large = waited.request.large;
    return waited.request.result;
}

int fixture_append_large(struct spool_fixture *fixture, uint64_t id, const char *chunk,
                         unsigned n_chunks)
{
    const struct slice pieces[] = {SLICE_LITERAL("Subject: x\r\n\r\n"), slice_of(chunk)};
    struct spool_large_request request = {.kind = LARGE_OPEN, .id = id};
    struct waited_append waited = {.append = {.header_bytes = (uint32_t)pieces[0].len}};
    int error = ask_large(fixture, &request);

    if (error)
        return error;
    request.kind = LARGE_WRITE;
    for (unsigned i = 0; !error && i <= n_chunks; i++) {
        request.pieces = &pieces[i ? 1 : 0];
        request.n_pieces = 1;
        error = ask_large(fixture, &request);
    }
    if (error) {
        request.kind = LARGE_ABANDON;
        if (ask_large(fixture, &request))
            abort();
        return error;
    }
    waited.append.large = request.large;
    return append_and_wait(fixture, &waited, id, 1);
}

/* ---- updating ---- */

static _Thread_local bool update_is_done;

static void update_done(struct spool_update *update)
{
    (void)update;
    update_is_done = true;
}

int fixture_update(struct spool_fixture *fixture, struct spool_update *update)
{
    update_is_done = false;
    update->answer_to = fixture->answers;
    update->done = update_done;
    spool_update(fixture->spool, update);
    wait_for(fixture, &update_is_done);
    return update->result;
}

int fixture_finish(struct spool_fixture *fixture, uint64_t id, uint32_t n, bool *is_finished)
{
    const struct spool_change change = {.kind = CHANGE_FINISHED, .n = n};
    struct spool_update update = {
        .stored = fixture_find(fixture, id), .changes = &change, .n_changes = 1};
    int error = fixture_update(fixture, &update);

    if (is_finished)
        *is_finished = update.is_finished;
    return error;
}

/* ---- reading ---- */

static bool bytes_are(const struct spool_view *view, const char *body)
{
    static const char header[] = "Subject: x\r\n\r\n";
    size_t header_bytes = sizeof(header) - 1, length = strlen(body);
    char *bytes = malloc(view->length + 1);
    bool is_equal;

    if (view->length != header_bytes + length ||
        pread(view->fd, bytes, view->length, (off_t)view->offset) != (ssize_t)view->length)
        is_equal = false;
    else
        is_equal = memcmp(bytes, header, header_bytes) == 0 &&
                   memcmp(bytes + header_bytes, body, length) == 0;
    free(bytes);
    return is_equal;
}

bool fixture_has(struct spool_fixture *fixture, uint64_t id, const char *body)
{
    struct stored *stored = fixture_find(fixture, id);
    struct spool_view view;
    bool is_equal;

    if (!stored || spool_lease(fixture->spool, stored, &view))
        return false;
    is_equal = bytes_are(&view, body);
    spool_release(fixture->spool, &view);
    return is_equal;
}
