/* Between the files of the reader of history.  Thread: the reader's. */
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include "relay/events/history_reader.h"
#include "sql/db.h"

struct history_file {
    struct db *db; /* NULL: none is open */
    dev_t device;  /* of what was opened: another may have its name by now */
    ino_t inode;
};

struct history_reader {
    char *dir;
    struct history_file rows, counters;
    char day[HISTORY_DAY_SIZE]; /* of rows */
    pthread_mutex_t lock;       /* both against history_reader_interrupt() */
};

void history_reader_close(struct history_reader *reader, struct history_file *file);
/* Opens what has that name now, once a question: a damaged file is put aside under another name,
 * and an old one removed.  0 also when it is open already; -ENOENT, -EBADMSG or another -errno. */
MUST_USE int history_reader_open(struct history_reader *reader, struct history_file *file,
                                 const char *name, const struct db_schema *schema);
