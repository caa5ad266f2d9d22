/* The threads that sign.  Each waits for any loop's channel to have a datagram, takes one, lets the
 * next worker at the channel, and answers.
 * Thread: the main one; workers are inside. */
#pragma once

#include "signer/service.h"

enum { POOL_MAX_CONNECTIONS = 512, POOL_MAX_WORKERS = 256 };

struct signing_pool;

/* n_workers: 0 for one per core.  service outlives the pool.  0 or -errno. */
MUST_USE int signing_pool_start(struct signing_pool **out, const struct signer_service *service,
                                unsigned n_workers);

/* Takes fd.  0, -EMFILE when there are too many, or -errno. */
MUST_USE int signing_pool_add(struct signing_pool *pool, int fd);

/* Readable when a channel has ended since the last call of signing_pool_is_empty(). */
int signing_pool_fd(const struct signing_pool *pool);
bool signing_pool_is_empty(struct signing_pool *pool);

/* Ends the workers when what they do is done, closes all.  Accepts NULL, returns NULL. */
struct signing_pool *signing_pool_stop(struct signing_pool *pool);
