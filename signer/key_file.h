/* Small secret files in one folder: complete and durable under their name, or not there.
 * Thread: any; writing one at a time per folder. */
#pragma once

#include "relay/base/buffer.h"
#include "relay/base/fault.h"

/* What a write that was cut short leaves behind; removed at the next start. */
#define KEY_FILE_UNFINISHED ".unfinished"

/* Mode 0600; written beside, synced, named without replacing anything, folder synced.
 * 0, -EEXIST, or -errno. */
MUST_USE int key_file_write(int dir_fd, const char *name, struct slice contents);

/* The contents, appended (limit bytes at most); 0, -EFBIG, or -errno. */
MUST_USE int key_file_read(int dir_fd, const char *name, size_t limit, struct buffer *out);

/* Both sync the folder. 0 or -errno. */
MUST_USE int key_file_rename(int dir_fd, const char *from, const char *to); /* never replaces */
MUST_USE int key_file_delete(int dir_fd, const char *name);

/* 0; -EACCES unless the folder is owned by this process's user and closed to all others. */
MUST_USE int key_folder_check(int dir_fd);
