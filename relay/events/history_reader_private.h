/* Between the files of the reader of history.  Thread: the reader's. */
#pragma once

#include <pthread.h>

#include "relay/events/history_reader.h"
#include "sql/db.h"

struct history_reader {
    char *dir;
    struct db *db, *counters;
    char day[HISTORY_DAY_SIZE]; /* of db */
    pthread_mutex_t lock;       /* both against history_reader_interrupt() */
};

/* Puts fresh in the place of one of the reader's databases, and closes what was there. */
void history_reader_exchange(struct history_reader *reader, struct db **place, struct db *fresh);
MUST_USE int history_reader_open(struct history_reader *reader, struct db **place, const char *name,
                                 const struct db_schema *schema);
