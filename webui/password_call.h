/* An exchange that has a password hashed: 19 MiB and 20 ms of a worker, never of this thread.
 * Thread: the panel's. */
#pragma once

#include "policy/password.h"
#include "policy/worker_pool.h"
#include "webui/exchange.h"

struct password_call {
    struct job job;
    struct exchange *exchange;
    struct slice password; /* the call's copy; wiped before then() */
    char hash[PASSWORD_HASH_SIZE];
    int error;
    void (*then)(struct password_call *call); /* only when it went well */
    void *owner;
};

/* Judges the password (422 `weak_password`) and hashes it; the call is of the exchange's arena. */
void password_call_start(struct exchange *exchange, struct slice password, struct slice user_name,
                         void *owner, void (*then)(struct password_call *call));
