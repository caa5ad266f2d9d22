/* Between the files of the reader.  Thread: the reader's. */
#pragma once

#include <pthread.h>

#include "relay/spool/spool_reader.h"
#include "relay/spool/store_rows.h"

struct spool_reader {
    char *dir;
    struct db *db;
    char name[STORE_NAME_SIZE]; /* of the database that is open */
    pthread_mutex_t lock;       /* db against spool_reader_interrupt() */
    struct recipient_rows rows;
};

/* Opens the database, or the one that has taken its place.  0 or -errno. */
MUST_USE int spool_reader_open(struct spool_reader *reader);
