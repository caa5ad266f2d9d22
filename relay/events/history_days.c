/* The files of history: which days there are, and which go. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "relay/base/crc32c.h"
#include "relay/events/history_private.h"

void history_day_of(int64_t utc_ms, char out[HISTORY_DAY_SIZE])
{
    time_t seconds = (time_t)(utc_ms / 1000);
    struct tm date;

    gmtime_r(&seconds, &date);
    if (strftime(out, HISTORY_DAY_SIZE, "%Y-%m-%d", &date) == 0)
        out[0] = '\0';
}

uint32_t history_address_hash(struct slice address)
{
    char lower[320];
    size_t len = address.len < sizeof(lower) ? address.len : sizeof(lower);

    for (size_t i = 0; i < len; i++)
        lower[i] = ascii_lower(address.data[i]);
    return crc32c(0, slice_from(lower, len));
}

/* "2026-11-22" stands at its start. */
static bool is_day(const char *name)
{
    static const char pattern[] = "0000-00-00";

    for (unsigned i = 0; i < sizeof(pattern) - 1; i++)
        if (pattern[i] == '-' ? name[i] != '-' : name[i] < '0' || name[i] > '9')
            return false;
    return true;
}

static int compare_days(const void *a, const void *b)
{
    return strcmp(b, a);
}

static bool is_known(char (*days)[HISTORY_DAY_SIZE], int n, const char *name)
{
    for (int i = n; i > 0; i--)
        if (strncmp(days[i - 1], name, HISTORY_DAY_SIZE - 1) == 0)
            return true;
    return false;
}

/* Grows days by the one that name begins with. */
static int note_day(char (**days)[HISTORY_DAY_SIZE], int *n, const char *name)
{
    void *more;

    if (is_known(*days, *n, name))
        return 0;
    more = reallocarray(*days, (size_t)*n + 1, HISTORY_DAY_SIZE);
    if (!more)
        return FAULT(-ENOMEM);
    *days = more;
    slice_copy_to(slice_from(name, HISTORY_DAY_SIZE - 1), (*days)[(*n)++], HISTORY_DAY_SIZE);
    return 0;
}

/* Days of which any file (also a damaged one) is there, or only whole ones. */
static int list_days(const char *dir, bool wants_all, char (**out)[HISTORY_DAY_SIZE])
{
    DIR *folder = opendir(dir);
    struct dirent *file;
    char(*days)[HISTORY_DAY_SIZE] = NULL;
    int n = 0, error = 0;

    if (!folder)
        return -errno;
    while (error == 0 && (file = readdir(folder)))
        if (is_day(file->d_name) &&
            (wants_all || strcmp(file->d_name + HISTORY_DAY_SIZE - 1, ".db") == 0))
            error = note_day(&days, &n, file->d_name);
    closedir(folder);
    if (error < 0) {
        free(days);
        return error;
    }
    if (n)
        qsort(days, (size_t)n, HISTORY_DAY_SIZE, compare_days);
    *out = days;
    return n;
}

int history_days(const char *dir, char (**out)[HISTORY_DAY_SIZE])
{
    return list_days(dir, false, out);
}

/* Visits each file of a day: adds up its bytes, or removes it. */
static int64_t each_file(const char *dir, const char *day, bool removes)
{
    DIR *folder = opendir(dir);
    struct dirent *file;
    int64_t bytes = 0;

    while (folder && (file = readdir(folder))) {
        struct stat status;

        if (strncmp(file->d_name, day, HISTORY_DAY_SIZE - 1) != 0)
            continue;
        if (removes)
            (void)unlinkat(dirfd(folder), file->d_name, 0);
        else if (fstatat(dirfd(folder), file->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0)
            bytes += (int64_t)status.st_blocks * 512;
    }
    if (folder)
        closedir(folder);
    return bytes;
}

void history_keep(const struct history_settings *settings, int64_t utc_ms, bool trusts_clock)
{
    char(*days)[HISTORY_DAY_SIZE] = NULL, oldest[HISTORY_DAY_SIZE], today[HISTORY_DAY_SIZE];
    int n = list_days(settings->dir, true, &days);
    int64_t bytes = 0;

    history_day_of(utc_ms - settings->kept_days * 86400000, oldest);
    history_day_of(utc_ms, today);
    for (int i = 0; days && i < n; i++) {
        bool is_oldest = i == n - 1;

        bytes += each_file(settings->dir, days[i], false);
        /* Today's stays, and days that a clock set back has not reached yet. */
        if (strcmp(days[i], today) < 0 &&
            (bytes > settings->max_bytes ||
             (trusts_clock && is_oldest && strcmp(days[i], oldest) < 0)))
            each_file(settings->dir, days[i], true);
    }
    free(days);
}
