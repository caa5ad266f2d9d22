/* A spool in a folder of its own, and ways to ask it that wait for the answer.
 * Thread: the test's. */
#pragma once

#include <pthread.h>

#include "relay/spool/spool.h"

enum { FIXTURE_MOST = 1 << 16 };

struct fixture_row { /* a recipient found at start */
    uint64_t id;
    struct recipient_row row;
    char address[128], reply[128], host[64];
};

struct spool_fixture {
    char dir[64];
    struct spool_settings settings;
    struct spool *spool;
    struct mailbox *answers;
    pthread_mutex_t lock; /* committed is filled by the spool thread */
    struct stored *committed[FIXTURE_MOST];
    uint32_t n_committed;
    struct stored *recovered[FIXTURE_MOST];
    uint32_t n_recovered, n_undone;
    struct fixture_row rows[FIXTURE_MOST];
    uint32_t n_rows;
};

struct spool_fixture *fixture_new(void);          /* nothing started yet; settings may be changed */
void fixture_free(struct spool_fixture *fixture); /* stops; removes the folder */

/* Its next start is on a disk that test/support/io_shim.h commands. */
void fixture_use_shim(struct spool_fixture *fixture);
struct spool_fixture *fixture_new_on_shim(void);

int fixture_start(struct spool_fixture *fixture); /* the spool's result */
void fixture_stop(struct spool_fixture *fixture); /* keeps the folder, drops all references */

/* One message of body with n_recipients (user1@example.net…); the spool's result. */
int fixture_append(struct spool_fixture *fixture, uint64_t id, const char *body,
                   uint32_t n_recipients);
int fixture_append_large(struct spool_fixture *fixture, uint64_t id, const char *chunk,
                         unsigned n_chunks);

uint32_t fixture_n_committed(struct spool_fixture *fixture);

/* The committed or recovered message of that id, or NULL. */
struct stored *fixture_find(struct spool_fixture *fixture, uint64_t id);

/* Waits for the update; its result. */
int fixture_update(struct spool_fixture *fixture, struct spool_update *update);
/* Recipient n of the message is finished; the update's result, *is_finished may be NULL. */
int fixture_finish(struct spool_fixture *fixture, uint64_t id, uint32_t n, bool *is_finished);

/* True when the message can be leased and its bytes are exactly body. */
bool fixture_has(struct spool_fixture *fixture, uint64_t id, const char *body);

void fixture_remove_folder(const char *dir);
