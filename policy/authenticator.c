/* One attempt per distinct question: it waits for its turn (WAITING), is hashed by a worker
 * (HASHING), and a wrong one is answered no sooner than FAILURE_MS after its hash began
 * (ANSWERING), so that neither the kind of hash nor the user's existence shows in the time. */
#include "policy/authenticator.h"

#include <errno.h>

#include "policy/credential_upkeep.h"
#include "policy/login_check.h"
#include "policy/login_digest.h"

enum { CACHE_CAPACITY = 65536, THROTTLE_CAPACITY = 262144, FAILURE_MS = 150 };

enum attempt_state { ATTEMPT_WAITING, ATTEMPT_HASHING, ATTEMPT_ANSWERING };

struct attempt {
    struct job job; /* first */
    struct key_entry entry;
    struct due due;
    struct policy *policy;
    enum attempt_state state;
    struct login_request *first, **last; /* who asks, linked by task.next */
    uint8_t digest[DIGEST_BYTES];
    struct throttle_guess guess;
    int64_t began_ms;
    struct directory *directory; /* keeps check.user */
    struct login_check check;
    const char *reason;
    size_t password_bytes;
    char password[];
};

int authenticator_init(struct authenticator *authenticator)
{
    uint8_t secret[32];
    int error;

    random_bytes(authenticator->digest_key, sizeof(authenticator->digest_key));
    random_bytes(secret, sizeof(secret));
    authenticator->flush_uses.fire = credential_uses_fire;
    error = password_hash(authenticator->decoy, slice_from(secret, sizeof(secret)));
    if (!error)
        error = throttle_new(&authenticator->throttle, THROTTLE_CAPACITY);
    if (!error)
        error = login_cache_new(&authenticator->cache, CACHE_CAPACITY);
    return error;
}

void authenticator_fini(struct authenticator *authenticator)
{
    throttle_free(authenticator->throttle);
    login_cache_free(authenticator->cache);
    key_table_fini(&authenticator->attempts);
    key_table_fini(&authenticator->uses);
    secret_wipe(authenticator->digest_key, sizeof(authenticator->digest_key));
}

/* ---- answers ---- */

static void run_done(struct task *task)
{
    struct login_request *request = (struct login_request *)(void *)task;

    request->done(request);
}

static void answer(struct login_request *request, enum login_verdict verdict, const char *reason)
{
    request->verdict = verdict;
    request->reason = reason;
    request->task.run = run_done;
    mailbox_answer(request->answer_to, &request->task);
}

/* The user whose credential this is now, or NULL: it may have been changed while we hashed. */
static const struct user *present_user(const struct policy *policy, struct slice name,
                                       uint32_t credential_id)
{
    const struct user *user = policy->directory ? directory_user(policy->directory, name) : NULL;

    return user && user->is_enabled && user_credential(user, credential_id) ? user : NULL;
}

static void answer_verified(struct policy *policy, struct login_request *request,
                            uint32_t credential_id)
{
    const struct user *user = present_user(policy, request->user, credential_id);

    if (credential_id == LOGIN_CHECK_HASH) {
        answer(request, LOGIN_OK, "password");
        return;
    }
    if (!user) {
        answer(request, LOGIN_WRONG, "changed");
        return;
    }
    if (!credential_is_allowed_from(user_credential(user, credential_id), request->peer)) {
        answer(request, LOGIN_WRONG, "network");
        return;
    }
    request->user_id = user->id;
    credential_uses_note(policy, credential_id);
    if (request->door == LOGIN_SMTP)
        quotas_note_login(policy, user, request->peer);
    answer(request, LOGIN_OK, "password");
}

static struct login_request *next_asker(struct attempt *attempt)
{
    struct login_request *request = attempt->first;

    if (request)
        attempt->first = (struct login_request *)(void *)request->task.next;
    return request;
}

static void free_attempt(struct attempt *attempt)
{
    struct policy *policy = attempt->policy;

    policy_cancel_due(policy, &attempt->due);
    key_table_remove(&policy->authenticator.attempts, &attempt->entry);
    directory_unref(attempt->directory);
    secret_wipe(attempt->password, attempt->password_bytes);
    free(attempt);
}

static void answer_all(struct attempt *attempt, enum login_verdict verdict, const char *reason)
{
    int64_t retry_ms = attempt->guess.start_ms - clock_monotonic_ms();
    struct login_request *request;

    while ((request = next_asker(attempt))) {
        request->retry_ms = retry_ms > 0 ? retry_ms : 0;
        answer(request, verdict, reason);
    }
    free_attempt(attempt);
}

/* ---- the hash and after ---- */

static void check_on_worker(struct job *job)
{
    struct attempt *attempt = (struct attempt *)(void *)job;

    login_check_run(&attempt->check);
}

static void succeed(struct attempt *attempt)
{
    struct policy *policy = attempt->policy;
    struct authenticator *authenticator = &policy->authenticator;
    struct login_request *request;

    throttle_succeeded(authenticator->throttle, &attempt->guess);
    if (attempt->check.credential_id != LOGIN_CHECK_HASH)
        login_cache_add(authenticator->cache, attempt->digest, attempt->check.credential_id,
                        clock_monotonic_ms());
    if (attempt->check.has_new_hash)
        credential_rehash(policy, attempt->directory,
                          user_credential(attempt->check.user, attempt->check.credential_id),
                          attempt->check.new_hash);
    while ((request = next_asker(attempt)))
        answer_verified(policy, request, attempt->check.credential_id);
    free_attempt(attempt);
}

static void fail(struct attempt *attempt)
{
    struct policy *policy = attempt->policy;

    throttle_failed(policy->authenticator.throttle, &attempt->guess, clock_monotonic_ms());
    attempt->state = ATTEMPT_ANSWERING;
    if (policy->is_stopping ||
        policy_set_due(policy, &attempt->due, attempt->began_ms + FAILURE_MS) != 0)
        answer_all(attempt, LOGIN_WRONG, attempt->reason);
}

static void hash_done(struct job *job)
{
    struct attempt *attempt = (struct attempt *)(void *)job;

    attempt->policy->n_outstanding--;
    if (job->was_cancelled) {
        throttle_withdrawn(attempt->policy->authenticator.throttle, &attempt->guess);
        answer_all(attempt, LOGIN_BUSY, "stopping");
    } else if (attempt->check.credential_id) {
        succeed(attempt);
    } else {
        fail(attempt);
    }
}

/* ---- turns ---- */

/* As late as can be: the turn may have come after a change. */
static void look_up_user(struct attempt *attempt)
{
    struct directory *directory = attempt->policy->directory;
    const struct user *user = NULL;

    attempt->reason = "password";
    if (*attempt->check.hash)
        return;
    if (directory) {
        attempt->directory = directory_ref(directory);
        user = directory_user(directory, attempt->first->user);
    }
    attempt->reason = !user                  ? "unknown user"
                      : !user->is_enabled    ? "disabled"
                      : !user->n_credentials ? "no password"
                                             : "password";
    attempt->check.user = user && user->is_enabled ? user : NULL;
}

static void start_hash(struct attempt *attempt)
{
    struct policy *policy = attempt->policy;

    look_up_user(attempt);
    attempt->state = ATTEMPT_HASHING;
    attempt->began_ms = clock_monotonic_ms();
    attempt->job.answer_to = policy->mailbox;
    attempt->job.work = check_on_worker;
    attempt->job.done = hash_done;
    if (worker_pool_submit(policy->workers, &attempt->job)) {
        policy->n_outstanding++;
        return;
    }
    throttle_withdrawn(policy->authenticator.throttle, &attempt->guess);
    answer_all(attempt, LOGIN_BUSY, "busy");
}

static void take_turn(struct attempt *attempt)
{
    struct policy *policy = attempt->policy;

    switch (
        throttle_reserve(policy->authenticator.throttle, &attempt->guess, clock_monotonic_ms())) {
    case TURN_NOW:
        start_hash(attempt);
        break;
    case TURN_LATER:
        if (policy_set_due(policy, &attempt->due, attempt->guess.start_ms) != 0)
            answer_all(attempt, LOGIN_BUSY, "memory");
        break;
    case TURN_REFUSED:
        answer_all(attempt, LOGIN_THROTTLED, "too many guesses");
        break;
    }
}

static void fire(struct policy *policy, struct due *due)
{
    struct attempt *attempt = CONTAINER_OF(due, struct attempt, due);

    (void)policy;
    if (attempt->state == ATTEMPT_WAITING)
        take_turn(attempt);
    else
        answer_all(attempt, LOGIN_WRONG, attempt->reason);
}

/* ---- questions ---- */

static bool answer_from_cache(struct policy *policy, struct login_request *request,
                              const uint8_t digest[DIGEST_BYTES])
{
    struct login_cache *cache = policy->authenticator.cache;
    uint32_t credential_id = login_cache_find(cache, digest, clock_monotonic_ms());

    if (!credential_id)
        return false;
    if (!present_user(policy, request->user, credential_id)) {
        login_cache_drop(cache, digest);
        return false;
    }
    answer_verified(policy, request, credential_id);
    return true;
}

static void join(struct attempt *attempt, struct login_request *request)
{
    request->task.next = NULL;
    *attempt->last = request;
    attempt->last = (struct login_request **)(void *)&request->task.next;
}

/* The same question is under way: one hash answers both. */
static bool join_attempt(struct policy *policy, struct login_request *request,
                         const uint8_t digest[DIGEST_BYTES])
{
    struct key_entry *entry =
        key_table_find(&policy->authenticator.attempts, login_digest_key(digest));
    struct attempt *attempt = entry ? CONTAINER_OF(entry, struct attempt, entry) : NULL;

    if (!attempt || !secret_equal(attempt->digest, digest, DIGEST_BYTES))
        return false;
    join(attempt, request);
    return true;
}

/* Changes with the password; 0 for whom nobody knows. */
static uint64_t revision_of(const struct policy *policy, const struct login_request *request)
{
    const struct user *user =
        policy->directory ? directory_user(policy->directory, request->user) : NULL;

    if (request->hash.len)
        return table_hash(request->hash);
    return user && user->n_credentials ? user->credentials[user->n_credentials - 1].id : 0;
}

static struct attempt *new_attempt(struct policy *policy, struct login_request *request,
                                   const uint8_t digest[DIGEST_BYTES])
{
    struct attempt *attempt = calloc(1, sizeof(*attempt) + request->password.len);

    if (!attempt)
        return NULL;
    attempt->entry.key = login_digest_key(digest);
    if (key_table_add(&policy->authenticator.attempts, &attempt->entry) != 0) {
        free(attempt);
        return NULL;
    }
    attempt->policy = policy;
    attempt->due.fire = fire;
    attempt->last = &attempt->first;
    memcpy(attempt->digest, digest, DIGEST_BYTES);
    attempt->password_bytes = request->password.len;
    if (request->password.len)
        memcpy(attempt->password, request->password.data, request->password.len);
    attempt->check.password = slice_from(attempt->password, attempt->password_bytes);
    attempt->check.decoy = policy->authenticator.decoy;
    attempt->check.without_app = request->door != LOGIN_SMTP;
    if (request->hash.len)
        slice_copy_to(request->hash, attempt->check.hash, sizeof(attempt->check.hash));
    attempt->guess = throttle_guess(request->peer, request->user, revision_of(policy, request),
                                    clock_monotonic_ms());
    attempt->guess.password = attempt->entry.key;
    return attempt;
}

static void run_login(struct task *task)
{
    struct login_request *request = (struct login_request *)(void *)task;
    struct policy *policy = request->policy;
    uint8_t digest[DIGEST_BYTES];
    struct attempt *attempt;

    request->user_id = 0;
    request->retry_ms = 0;
    if (policy->is_stopping) {
        answer(request, LOGIN_BUSY, "stopping");
        return;
    }
    login_digest(digest, policy->authenticator.digest_key, request);
    if (answer_from_cache(policy, request, digest) || join_attempt(policy, request, digest))
        return;
    attempt = new_attempt(policy, request, digest);
    if (!attempt) {
        answer(request, LOGIN_BUSY, "memory");
        return;
    }
    join(attempt, request);
    take_turn(attempt);
}

bool login_ask(struct policy *policy, struct login_request *request)
{
    request->policy = policy;
    request->task.run = run_login;
    return mailbox_post(policy->mailbox, &request->task);
}

/* What hashes comes back by itself; what waits is answered now. */
void authenticator_stop(struct policy *policy)
{
    struct key_table *attempts = &policy->authenticator.attempts;

    for (uint32_t i = 0; i < attempts->n_buckets; i++)
        for (struct key_entry *entry = attempts->buckets[i], *next; entry; entry = next) {
            struct attempt *attempt = CONTAINER_OF(entry, struct attempt, entry);

            next = entry->next;
            if (attempt->state == ATTEMPT_ANSWERING)
                answer_all(attempt, LOGIN_WRONG, attempt->reason);
            else if (attempt->state == ATTEMPT_WAITING)
                answer_all(attempt, LOGIN_BUSY, "stopping");
        }
    credential_uses_flush(policy);
}
