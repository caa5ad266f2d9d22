#include "webui/password_call.h"

#include <stdio.h>

#include "policy/policy.h"
#include "relay/base/list.h"
#include "relay/base/secret.h"

static void hash_on_worker(struct job *job)
{
    struct password_call *call = CONTAINER_OF(job, struct password_call, job);

    call->error = password_hash(call->hash, call->password);
}

static void on_hashed(struct job *job)
{
    struct password_call *call = CONTAINER_OF(job, struct password_call, job);

    secret_wipe((void *)call->password.data, call->password.len);
    if (job->was_cancelled)
        exchange_busy(call->exchange);
    else if (call->error)
        exchange_problem(call->exchange, 500, "failed", "The password could not be hashed.");
    else
        call->then(call);
    secret_wipe(call->hash, sizeof(call->hash));
}

void password_call_start(struct exchange *exchange, struct slice password, struct slice user_name,
                         void *owner, void (*then)(struct password_call *call))
{
    const char *weakness = password_weakness(password, user_name);
    struct password_call *call;
    char detail[128];

    if (weakness) {
        (void)snprintf(detail, sizeof(detail), "The password %s.", weakness);
        exchange_problem(exchange, 422, "weak_password", detail);
        return;
    }
    call = exchange_memory(exchange, sizeof(*call));
    if (!call)
        return;
    call->exchange = exchange;
    call->password = arena_copy(&exchange->arena, password);
    call->owner = owner;
    call->then = then;
    call->job.answer_to = exchange->webui->mailbox;
    call->job.work = hash_on_worker;
    call->job.done = on_hashed;
    if (!call->password.data || !exchange->webui->parts.policy ||
        !worker_pool_submit(policy_workers(exchange->webui->parts.policy), &call->job))
        exchange_busy(exchange);
}
