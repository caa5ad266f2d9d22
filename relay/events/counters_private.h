/* Between the files of the counters.  Thread: the event thread's. */
#pragma once

#include "relay/events/counters.h"
#include "sql/db.h"

enum {
    INDEX_SLOTS = 2048, /* a power of two, twice as many as names */
    MOST_NAMES = 1000,
    MOST_GAPS = 16,
    STOPPED_S = 60, /* a shorter silence is a restart that nobody needs to know of */
    MINUTE_MS = 60000,
    DAY_MS = 86400000,
};

struct counted {
    enum counter_by by;
    char *name;
    int64_t id; /* of its row; 0: not known */
    bool is_touched;
    int64_t columns[N_COUNTER_COLUMNS];
};

struct gap {
    int64_t begun_s, ended_s, n_rows;
    const char *why;
};

struct counters {
    char *path;
    struct db *db;
    struct counted names[MOST_NAMES];
    unsigned n_names, n_by[N_COUNTER_BY];
    uint16_t index[INDEX_SLOTS]; /* place in names and one; 0: free */
    int64_t minute, day;         /* that the sums belong to; that the names do */
    struct gap gaps[MOST_GAPS];
    unsigned n_gaps;
    bool knows_silence; /* the gap before this start was looked for */
    int64_t seen_s;     /* UTC of the last store before this start; 0: none */
};

void counters_forget_names(struct counters *counters); /* of the day */
