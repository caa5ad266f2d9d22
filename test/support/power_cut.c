#include "test/support/power_cut.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/support/test_support.h"

enum { MOST_FILES = 64, TEAR_BYTES = 512, N_CHOICES = 4, MOST_ENUMERATED = 4, MOST_CHOSEN = 63 };

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

void power_cut_build(const char *dir, const struct io_call *calls, size_t n, enum loss loss)
{
    char path[PATH_MAX], to[PATH_MAX];

    account_for(calls, n);
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

/* Every subset of few writes; of many, each one alone lost and each one alone kept. */
static void try_reordered(const struct io_call *calls, size_t n, power_cut_try *try_state)
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

void power_cut_everywhere(const struct io_call *calls, size_t n_calls, power_cut_try *try_state)
{
    for (size_t n = 1; n <= n_calls; n++) {
        try_state(calls, n, LOSE_ALL);
        try_state(calls, n, LOSE_NOTHING);
        if (n == n_calls || !is_quiet(&calls[n]))
            try_reordered(calls, n, try_state);
        for (unsigned i = 0; i < N_CHOICES; i++) {
            dice = (uint32_t)n * 31 + i;
            try_state(calls, n, LOSE_SOME);
        }
    }
}
