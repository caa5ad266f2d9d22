/* Where signing keys are ordered: asks the signer to make or import them, has libopendkim judge
 * the first signature of each, and only then lets the registry call it active and the signer use
 * it. Lives on one loop, with a channel of its own to the signer. Thread: key_desk_ask() and
 * key_desk_connect() any; answers on the asker's. */
#pragma once

#include "policy/registry_domains.h"
#include "relay/base/mailbox.h"
#include "relay/net/loop.h"

struct key_desk;
struct worker_pool;

MUST_USE int key_desk_new(struct key_desk **out, struct loop *loop, struct registry *registry,
                          struct worker_pool *workers);
struct key_desk *key_desk_free(struct key_desk *desk); /* the loop has stopped; NULL ok */

/* A loop's end of a channel to the signer, at each (re)start of it; taken. */
void key_desk_connect(struct key_desk *desk, int fd);

bool key_desk_is_up(const struct key_desk *desk); /* a signer answers; any thread */
