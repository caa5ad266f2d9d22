#include "test/support/io_shim_layer.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct {
    pthread_mutex_t lock;
    unsigned n_calls, fail_at;
    int error, error_all;
    bool has_failed, is_recording, is_short, is_once;
    char fail_all[64], hold[64];
    unsigned n_held, sync_delay_us;
    pthread_cond_t changed;
    char folder[512];
    struct io_call *calls;
    size_t n_recorded, capacity;
} shim = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static const char *const kind_names[] = {
    [IO_CREATE] = "create", [IO_WRITE] = "write",   [IO_SIZE] = "size",     [IO_SYNC] = "sync",
    [IO_SYNC_DIR] = "sync", [IO_RENAME] = "rename", [IO_REMOVE] = "remove", [IO_NOTE] = "note",
};

/* ---- the record ---- */

static const char *below_folder(const char *path)
{
    size_t length = strlen(shim.folder);

    if (!path || length == 0 || strncmp(path, shim.folder, length) != 0)
        return "?";
    return path[length] == '/' ? path + length + 1 : path + length;
}

/* Under the lock. */
static struct io_call *add_call(enum io_call_kind kind, const char *path)
{
    struct io_call *call;

    if (shim.n_recorded == shim.capacity) {
        shim.capacity = shim.capacity ? shim.capacity * 2 : 256;
        shim.calls = realloc(shim.calls, shim.capacity * sizeof(*shim.calls));
    }
    call = &shim.calls[shim.n_recorded++];
    *call = (struct io_call){.kind = kind};
    snprintf(call->path, sizeof(call->path), "%s", path);
    return call;
}

void io_shim_keep(enum io_call_kind kind, const char *path, uint64_t offset, const void *data,
                  size_t length, const char *to)
{
    struct io_call *call;

    pthread_mutex_lock(&shim.lock);
    if (shim.is_recording) {
        call = add_call(kind, below_folder(path));
        call->offset = offset;
        call->length = length;
        if (length) {
            call->data = malloc(length);
            memcpy(call->data, data, length);
        }
        if (to)
            snprintf(call->to, sizeof(call->to), "%s", to);
    }
    pthread_mutex_unlock(&shim.lock);
}

/* Under the lock, which it lets go of while it waits. */
static void wait_while_held(const char *line)
{
    if (!shim.hold[0] || strncmp(line, shim.hold, strlen(shim.hold)) != 0)
        return;
    shim.n_held++;
    pthread_cond_broadcast(&shim.changed);
    while (shim.hold[0])
        pthread_cond_wait(&shim.changed, &shim.lock);
}

/* Counts a call; its error when it is to fail, else 0. */
int io_shim_count(enum io_call_kind kind, const char *path)
{
    char line[600];
    int error = 0;

    pthread_mutex_lock(&shim.lock);
    snprintf(line, sizeof(line), "%s %s", kind_names[kind], below_folder(path));
    shim.n_calls++;
    wait_while_held(line);
    if (shim.fail_at && shim.n_calls == shim.fail_at) {
        shim.has_failed = true;
        error = shim.error;
    }
    if (shim.fail_all[0] && strncmp(line, shim.fail_all, strlen(shim.fail_all)) == 0) {
        shim.has_failed = true;
        error = shim.error_all;
        if (shim.is_once)
            shim.fail_all[0] = '\0';
    }
    pthread_mutex_unlock(&shim.lock);
    return error;
}

void io_shim_delay(void)
{
    struct timespec delay = {0, (long)shim.sync_delay_us * 1000};

    if (shim.sync_delay_us)
        nanosleep(&delay, NULL); /* a slower disk, not a wait for something */
}

bool io_shim_is_short(void)
{
    return shim.is_short;
}

const char *io_shim_folder(void)
{
    return shim.folder;
}

/* ---- control ---- */

void io_shim_reset(const char *folder)
{
    io_shim_register_vfs();
    pthread_mutex_lock(&shim.lock);
    for (size_t i = 0; i < shim.n_recorded; i++)
        free(shim.calls[i].data);
    free(shim.calls);
    shim.calls = NULL;
    shim.n_recorded = shim.capacity = 0;
    shim.n_calls = shim.fail_at = 0;
    shim.has_failed = shim.is_recording = false;
    shim.fail_all[0] = shim.hold[0] = '\0';
    shim.is_short = false;
    shim.sync_delay_us = shim.n_held = 0;
    snprintf(shim.folder, sizeof(shim.folder), "%s", folder);
    pthread_mutex_unlock(&shim.lock);
}

void io_shim_fail(unsigned nth, int error)
{
    bool goes_on = error == EIO && shim.is_short; /* what a short write began */

    pthread_mutex_lock(&shim.lock);
    shim.fail_at = nth ? shim.n_calls + nth : 0;
    shim.is_short = error == IO_SHORT_WRITE;
    shim.error = shim.is_short ? EIO : error;
    shim.has_failed = goes_on;
    pthread_mutex_unlock(&shim.lock);
}

void io_shim_fail_all(const char *line_start, int error)
{
    pthread_mutex_lock(&shim.lock);
    snprintf(shim.fail_all, sizeof(shim.fail_all), "%s", line_start ? line_start : "");
    shim.error_all = error;
    shim.has_failed = shim.is_once = false;
    pthread_mutex_unlock(&shim.lock);
}

void io_shim_fail_next(const char *line_start, int error)
{
    pthread_mutex_lock(&shim.lock);
    snprintf(shim.fail_all, sizeof(shim.fail_all), "%s", line_start);
    shim.error_all = error;
    shim.has_failed = false;
    shim.is_once = true;
    pthread_mutex_unlock(&shim.lock);
}

void io_shim_delay_syncs(unsigned microseconds)
{
    shim.sync_delay_us = microseconds;
}

void io_shim_hold(const char *line_start)
{
    pthread_mutex_lock(&shim.lock);
    snprintf(shim.hold, sizeof(shim.hold), "%s", line_start ? line_start : "");
    pthread_cond_broadcast(&shim.changed);
    pthread_mutex_unlock(&shim.lock);
}

void io_shim_wait_held(void)
{
    pthread_mutex_lock(&shim.lock);
    while (shim.n_held == 0)
        pthread_cond_wait(&shim.changed, &shim.lock);
    shim.n_held = 0;
    pthread_mutex_unlock(&shim.lock);
}

bool io_shim_has_failed(void)
{
    bool has_failed;

    pthread_mutex_lock(&shim.lock);
    has_failed = shim.has_failed;
    pthread_mutex_unlock(&shim.lock);
    return has_failed;
}

unsigned io_shim_n_calls(void)
{
    unsigned n_calls;

    pthread_mutex_lock(&shim.lock);
    n_calls = shim.n_calls;
    pthread_mutex_unlock(&shim.lock);
    return n_calls;
}

void io_shim_record(void)
{
    pthread_mutex_lock(&shim.lock);
    shim.is_recording = true;
    pthread_mutex_unlock(&shim.lock);
}

void io_shim_note(const char *text)
{
    pthread_mutex_lock(&shim.lock);
    if (shim.is_recording)
        add_call(IO_NOTE, text);
    pthread_mutex_unlock(&shim.lock);
}

const struct io_call *io_shim_calls(size_t *n)
{
    *n = shim.n_recorded;
    return shim.calls;
}

bool io_call_is_on(const struct io_call *call, enum io_call_kind kind, const char *start)
{
    return call->kind == kind && strncmp(call->path, start, strlen(start)) == 0;
}

size_t io_shim_n_syncs(void)
{
    size_t n_syncs = 0;

    for (size_t i = 0; i < shim.n_recorded; i++)
        n_syncs += shim.calls[i].kind == IO_SYNC || shim.calls[i].kind == IO_SYNC_DIR;
    return n_syncs;
}

unsigned io_shim_fail_each(bool (*attempt)(unsigned nth, int error), int error)
{
    unsigned nth = 1;

    while (attempt(nth, error))
        nth++;
    return nth - 1;
}
