/* Tells when one of some files changed: by inotify on the folders of each path and of what it
 * really leads to, so that a renewed symbolic link and an atomic rename both count.
 * Thread: the owner's. */
#pragma once

#include <stdbool.h>

#include "relay/base/fault.h"

struct watched_files;

MUST_USE int watched_files_new(struct watched_files **out); /* 0 or -errno */
struct watched_files *watched_files_free(struct watched_files *files);

/* Instead of what was watched before.  A folder that cannot be watched is left out. */
void watched_files_set(struct watched_files *files, const char *const *paths, size_t n);

int watched_files_fd(const struct watched_files *files); /* readable when something happened */

/* Reads what happened; true when it may concern a watched file. */
bool watched_files_changed(struct watched_files *files);
