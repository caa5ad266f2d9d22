/* History: a row for each outcome of a recipient and each message queued, in data_dir/history, a
 * file per day of UTC, and counters beside them.  Rows are written in groups; a killed process
 * loses the last moments of them, a full or failing disk what comes while it is so: counted, told,
 * and never in the way of mail.
 * Thread: the event thread's. */
#pragma once

#include "relay/events/counters.h"

struct history_settings {
    const char *dir;   /* copied; NULL: no history */
    int64_t kept_days; /* older files go */
    int64_t max_bytes; /* beyond that the oldest go */
    uint64_t min_free; /* the disk's: below it nothing is written, it is the queue's */
};

struct history;

MUST_USE int history_new(struct history **out, const struct history_settings *settings);
struct history *history_free(struct history *history); /* stores what waits; NULL in, NULL out */

void history_note(struct history *history, const struct event *event);
/* Events that found no room on their way: n of that kind, n_recipients in them. */
void history_note_lost(struct history *history, enum event_kind event, int64_t n,
                       int64_t n_recipients);
void history_note_depth(struct history *history, int64_t n_queued);

/* Stores what is due; in how many milliseconds to call again. */
int history_turn(struct history *history);

/* ---- files ---- */

enum { HISTORY_DAY_SIZE = 11 }; /* "2026-11-22" and its NUL */
void history_day_of(int64_t utc_ms, char out[HISTORY_DAY_SIZE]);

/* The days that have a file, the newest first; malloc()ed, the caller frees.  Their number or
 * -errno.  Any thread. */
MUST_USE int history_days(const char *dir, char (**out)[HISTORY_DAY_SIZE]);

/* A checksum of an address, letter case ignored: how rows are found by recipient.  Any thread. */
uint32_t history_address_hash(struct slice address);
