/* What a power cut may leave: from the recorded calls of a short run, folders are built that hold
 * everything synced, and of the rest any part: nothing, all of it, or a random choice of writes,
 * some torn at 512 octets, and names that never reached the disk.  Every one must start, with all
 * mail whose receipt came before the cut. */
#include "test/support/test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/spool/queue_id.h"
#include "test/support/io_shim.h"
#include "test/support/spool_fixture.h"

enum { MOST_FILES = 64, TEAR_BYTES = 512, N_CHOICES = 4, MOST_ENUMERATED = 4, MOST_CHOSEN = 63 };

enum loss { LOSE_ALL, LOSE_NOTHING, LOSE_SOME, LOSE_CHOSEN };

struct lost_file {
    char path[64];
    bool is_name_durable; /* its folder was synced since it was made */
    bool is_removed;      /* the name, and whether its folder was synced since */
    bool is_removal_durable;
    char renamed_to[64];
    bool is_rename_durable;
    size_t made_at, synced_at; /* indices of calls */
};

static uint64_t chosen;     /* LOSE_CHOSEN: bit i: the i-th write that was not synced is kept */
static unsigned n_unsynced; /* of the state built last */
static struct lost_file files[MOST_FILES];
static size_t n_files;
static uint32_t dice;

static uint32_t roll(uint32_t sides)
{
    dice = dice * 1664525U + 1013904223U;
    return (dice >> 8) % sides;
}

static struct lost_file *find_file(const char *path)
{
    for (size_t i = n_files; i > 0; i--) {
        if (strcmp(files[i - 1].path, path) == 0)
            return &files[i - 1];
    }
    return NULL;
}

static void add_file(const char *path, size_t made_at)
{
    struct lost_file *file = find_file(path);

    if (!file) {
        assert_true(n_files < MOST_FILES);
        file = &files[n_files++];
    }
    *file = (struct lost_file){.made_at = made_at};
    snprintf(file->path, sizeof(file->path), "%s", path);
}

static bool is_in_folder(const char *path, const char *folder)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;

    return strlen(folder) == length && strncmp(path, folder, length) == 0;
}

static void sync_names(const char *folder)
{
    for (size_t i = 0; i < n_files; i++) {
        if (!is_in_folder(files[i].path, folder))
            continue;
        files[i].is_name_durable = true;
        files[i].is_removal_durable = files[i].is_removed;
        files[i].is_rename_durable = files[i].renamed_to[0] != '\0';
    }
}

/* What is durable after the first n calls. */
static void account_for(const struct io_call *calls, size_t n)
{
    n_files = 0;
    for (size_t i = 0; i < n; i++) {
        struct lost_file *file = find_file(calls[i].path);

        if (calls[i].kind == IO_CREATE)
            add_file(calls[i].path, i);
        else if (calls[i].kind == IO_SYNC && file)
            file->synced_at = i;
        else if (calls[i].kind == IO_REMOVE && file)
            file->is_removed = true;
        else if (calls[i].kind == IO_RENAME && file)
            snprintf(file->renamed_to, sizeof(file->renamed_to), "%s", calls[i].to);
        else if (calls[i].kind == IO_SYNC_DIR)
            sync_names(calls[i].path);
    }
}

static void apply(const char *dir, const struct io_call *call, bool is_torn)
{
    char path[PATH_MAX];
    size_t length = is_torn && call->length > TEAR_BYTES ? TEAR_BYTES : call->length;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", dir, call->path);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    if (call->kind == IO_WRITE)
        assert_int_equal(pwrite(fd, call->data, length, (off_t)call->offset), (ssize_t)length);
    else
        assert_int_equal(ftruncate(fd, (off_t)call->offset), 0);
    close(fd);
}

static bool is_kept_by(enum loss loss)
{
    return loss == LOSE_NOTHING || loss == LOSE_CHOSEN || (loss == LOSE_SOME && roll(2));
}

/* A disk writes in any order what lies between two syncs. */
static bool is_write_kept_by(enum loss loss)
{
    unsigned position = n_unsynced++;

    return loss == LOSE_CHOSEN ? position <= MOST_CHOSEN && (chosen >> position & 1)
                               : is_kept_by(loss);
}

/* The name as the disk may know it. */
static bool has_name(const struct lost_file *file, enum loss loss)
{
    if (!file->is_name_durable && !is_kept_by(loss))
        return false;
    if (!file->is_removed)
        return true;
    return !file->is_removal_durable && !is_kept_by(loss);
}

static void build(const char *dir, const struct io_call *calls, size_t n, enum loss loss)
{
    char path[PATH_MAX], to[PATH_MAX];

    n_unsynced = 0;
    for (size_t i = 0; i < n; i++) {
        const struct lost_file *file = find_file(calls[i].path);
        bool is_durable;

        if (!file || i < file->made_at || (calls[i].kind != IO_WRITE && calls[i].kind != IO_SIZE))
            continue;
        is_durable = i < file->synced_at;
        if (is_durable || is_write_kept_by(loss))
            apply(dir, &calls[i], !is_durable && loss == LOSE_SOME && roll(4) == 0);
    }
    for (size_t i = 0; i < n_files; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, files[i].path);
        snprintf(to, sizeof(to), "%s/%s", dir, files[i].renamed_to);
        if (files[i].is_rename_durable || (files[i].renamed_to[0] && is_kept_by(loss)))
            assert_int_equal(rename(path, to), 0);
        else if (!has_name(&files[i], loss))
            (void)unlink(path);
    }
}

/* ---- the run that is recorded ---- */

static const char *const bodies[] = {"first\r\n", "long\r\nlong\r\n", "third\r\n"};
enum { N_MESSAGES = 3 };
static uint64_t ids[N_MESSAGES], old_id;

/* After it another database is in use. */
static void let_a_commit_fail(struct spool_fixture *fixture)
{
    io_shim_fail_all("sync queue.db-wal", EIO);
    assert_int_equal(fixture_append(fixture, queue_id_new(), "refused\r\n", 1), -EIO);
    io_shim_fail_all(NULL, 0);
}

static void defer(struct spool_fixture *fixture, uint64_t id)
{
    const struct spool_change open = {
        .kind = CHANGE_OPEN, .n = 1, .host = SLICE_LITERAL("mx.example.net"), .tried_utc_ms = 1};
    const struct spool_change later = {
        .kind = CHANGE_ROW, .n = 1, .state = RECIPIENT_DEFERRED, .attempts = 1, .next_utc_ms = 1};
    struct spool_update update = {
        .stored = fixture_find(fixture, id), .changes = &open, .n_changes = 1};

    assert_int_equal(fixture_update(fixture, &update), 0);
    io_shim_note("marked");
    update.changes = &later;
    assert_int_equal(fixture_update(fixture, &update), 0);
    io_shim_note("deferred");
}

/* What a start finds is sealed, and a sealed segment with little in it is compacted at once. */
static void leave_one_behind(struct spool_fixture *fixture)
{
    old_id = queue_id_new();
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture_append(fixture, old_id, "old\r\n", 1), 0);
    io_shim_note("old");
    fixture_stop(fixture);
}

static void record_run(struct spool_fixture *fixture, bool has_failure)
{
    char note[32];

    leave_one_behind(fixture);
    assert_int_equal(fixture_start(fixture), 0);
    for (unsigned i = 0; i < N_MESSAGES; i++) {
        if (has_failure && i == 1)
            let_a_commit_fail(fixture);
        ids[i] = queue_id_new();
        if (i == 1)
            assert_int_equal(fixture_append_large(fixture, ids[i], "long\r\n", 2), 0);
        else
            assert_int_equal(fixture_append(fixture, ids[i], bodies[i], 1), 0);
        snprintf(note, sizeof(note), "receipt %u", i);
        io_shim_note(note);
    }
    defer(fixture, ids[2]);
    assert_int_equal(fixture_finish(fixture, ids[0], 1, NULL), 0);
    io_shim_note("finished");
}

/* ---- checking one state ---- */

struct expectation {
    bool is_accepted[N_MESSAGES], has_old;
    bool is_marked, is_deferred; /* the last */
    bool is_end_asked, is_ended; /* of the first */
};

static struct expectation expect(const struct io_call *calls, size_t n)
{
    struct expectation expected = {0};

    for (size_t i = 0; i < n; i++) {
        if (calls[i].kind != IO_NOTE)
            continue;
        if (strncmp(calls[i].path, "receipt", 7) == 0)
            expected.is_accepted[strtoul(calls[i].path + 8, NULL, 10)] = true;
        expected.has_old |= strcmp(calls[i].path, "old") == 0;
        expected.is_marked |= strcmp(calls[i].path, "marked") == 0;
        expected.is_deferred |= strcmp(calls[i].path, "deferred") == 0;
        expected.is_ended |= strcmp(calls[i].path, "finished") == 0;
    }
    expected.is_end_asked = expected.is_deferred;
    return expected;
}

/* A mark that was answered before the cut is found as doubt; an answer takes it away. */
static void check_last(const struct spool_fixture *fixture, const struct expectation *expected,
                       size_t n)
{
    for (uint32_t i = 0; i < fixture->n_rows && expected->is_marked; i++) {
        const struct recipient_row *row = &fixture->rows[i].row;
        bool is_deferred = row->state == RECIPIENT_DEFERRED && row->attempts == 1 && !row->flags;

        if (fixture->rows[i].id == ids[2] && !is_deferred &&
            (expected->is_deferred || row->flags != RECIPIENT_DOUBTFUL))
            fail_msg("cut after call %zu: the journal forgot a final dot", n);
    }
}

static void check(struct spool_fixture *fixture, const struct expectation *expected, size_t n,
                  enum loss loss)
{
    for (unsigned i = 0; i < N_MESSAGES; i++) {
        bool must_be_there = expected->is_accepted[i] && !(i == 0 && expected->is_end_asked);
        bool is_known = fixture_find(fixture, ids[i]) != NULL;

        if (must_be_there && !fixture_has(fixture, ids[i], bodies[i]))
            fail_msg("cut after call %zu (loss %d): message %u is lost", n, (int)loss, i);
        /* What has a row has its bytes, promised or not. */
        if (is_known && !fixture_has(fixture, ids[i], bodies[i]))
            fail_msg("cut after call %zu (loss %d): message %u lacks its bytes", n, (int)loss, i);
        if (i == 0 && expected->is_ended && is_known)
            fail_msg("cut after call %zu (loss %d): a finished message came back", n, (int)loss);
    }
    if (expected->has_old && !fixture_has(fixture, old_id, "old\r\n"))
        fail_msg("cut after call %zu (loss %d): the message being moved is lost", n, (int)loss);
    check_last(fixture, expected, n);
}

static void try_state(const struct io_call *calls, size_t n, enum loss loss)
{
    struct spool_fixture *fixture = fixture_new();
    struct expectation expected = expect(calls, n);
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/large", fixture->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/segments", fixture->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    account_for(calls, n);
    build(fixture->dir, calls, n, loss);
    if (fixture_start(fixture))
        fail_msg("cut after call %zu (loss %d): start is refused", n, (int)loss);
    check(fixture, &expected, n, loss);
    assert_int_equal(fixture_append(fixture, queue_id_new(), "next\r\n", 1), 0);
    fixture_free(fixture);
}

/* Every subset of few writes; of many, each one alone lost and each one alone kept. */
static void try_reordered(const struct io_call *calls, size_t n)
{
    unsigned n_writes = n_unsynced < MOST_CHOSEN ? n_unsynced : MOST_CHOSEN;
    uint64_t all = ((uint64_t)1 << n_writes) - 1;

    if (n_writes <= MOST_ENUMERATED) {
        for (chosen = 1; chosen < all; chosen++)
            try_state(calls, n, LOSE_CHOSEN);
        return;
    }
    for (unsigned i = 0; i < n_writes; i++) {
        chosen = (uint64_t)1 << i;
        try_state(calls, n, LOSE_CHOSEN);
        chosen = all & ~chosen;
        try_state(calls, n, LOSE_CHOSEN);
    }
}

/* Between these, a cut leaves nothing that a cut after the last of them does not. */
static bool is_quiet(const struct io_call *call)
{
    return call->kind == IO_WRITE || call->kind == IO_SIZE;
}

static void cut_everywhere(bool has_failure)
{
    struct spool_fixture *fixture = fixture_new();
    const struct io_call *calls;
    size_t n_calls;

    io_shim_reset(fixture->dir);
    fixture->settings.io = &io_shim;
    fixture->settings.vfs = IO_SHIM_VFS;
    fixture->settings.segment_bytes = 1 << 16;
    io_shim_record();
    record_run(fixture, has_failure);
    calls = io_shim_calls(&n_calls);
    assert_true(n_calls > 40);
    for (size_t n = 1; n <= n_calls; n++) {
        try_state(calls, n, LOSE_ALL);
        try_state(calls, n, LOSE_NOTHING);
        if (n == n_calls || !is_quiet(&calls[n]))
            try_reordered(calls, n);
        for (unsigned i = 0; i < N_CHOICES; i++) {
            dice = (uint32_t)n * 31 + i;
            try_state(calls, n, LOSE_SOME);
        }
    }
    fixture_free(fixture);
}

static void no_power_cut_loses_an_accepted_message(void **state)
{
    (void)state;
    cut_everywhere(false);
}

static void no_power_cut_while_the_database_is_replaced_loses_one(void **state)
{
    (void)state;
    cut_everywhere(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_power_cut_loses_an_accepted_message),
        cmocka_unit_test(no_power_cut_while_the_database_is_replaced_loses_one),
    };

    /* A thousand folders are made: in memory, where there is some.  What is synced is in the
     * record, not in the disk's hands. */
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
