#include "relay/net/watched_files.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

enum {
    MAX_WATCHED = 256,
    CHANGES = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_ATTRIB,
};

struct watched_files {
    int fd;
    size_t n_entries;
    struct entry {
        int descriptor; /* of the folder's watch */
        char *name;     /* in that folder */
    } entries[MAX_WATCHED];
};

int watched_files_new(struct watched_files **out)
{
    struct watched_files *files = calloc(1, sizeof(*files));

    if (!files)
        return FAULT(-ENOMEM);
    files->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (files->fd < 0) {
        free(files);
        return FAULT(-errno);
    }
    *out = files;
    return 0;
}

static void forget_all(struct watched_files *files)
{
    for (size_t i = 0; i < files->n_entries; i++) {
        inotify_rm_watch(files->fd, files->entries[i].descriptor); /* once or twice, no harm */
        free(files->entries[i].name);
    }
    files->n_entries = 0;
}

struct watched_files *watched_files_free(struct watched_files *files)
{
    if (!files)
        return NULL;
    forget_all(files);
    close(files->fd);
    free(files);
    return NULL;
}

static void watch_place(struct watched_files *files, const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];
    struct entry entry;

    if (files->n_entries == MAX_WATCHED || !slash || slash - path >= PATH_MAX - 1)
        return;
    snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
    entry.descriptor = inotify_add_watch(files->fd, folder, CHANGES);
    entry.name = entry.descriptor >= 0 ? strdup(slash + 1) : NULL;
    if (entry.name)
        files->entries[files->n_entries++] = entry;
}

void watched_files_set(struct watched_files *files, const char *const *paths, size_t n)
{
    forget_all(files);
    for (size_t i = 0; i < n; i++) {
        char *real = realpath(paths[i], NULL);

        watch_place(files, paths[i]);
        if (real && strcmp(real, paths[i]) != 0)
            watch_place(files, real);
        free(real);
    }
}

int watched_files_fd(const struct watched_files *files)
{
    return files->fd;
}

static bool concerns_us(const struct watched_files *files, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW)
        return true;
    for (size_t i = 0; i < files->n_entries; i++)
        if (files->entries[i].descriptor == event->wd && event->len &&
            strcmp(files->entries[i].name, event->name) == 0)
            return true;
    return false;
}

bool watched_files_changed(struct watched_files *files)
{
    char bytes[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool is_changed = false;
    ssize_t n;

    while ((n = read(files->fd, bytes, sizeof(bytes))) > 0) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const void *)(bytes + at);

            is_changed = is_changed || concerns_us(files, event);
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
    return is_changed;
}
