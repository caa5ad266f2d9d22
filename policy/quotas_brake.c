/* The brake's side of the desk: who is held, and who logs in from where. */
#include "policy/policy_internal.h"

enum { STORE_AGAIN_MS = 5000 };

struct braked {
    struct key_entry entry; /* by the user's id */
    bool is_stored;         /* the snapshots show it, until somebody releases the user */
    struct due retry;       /* what could not be stored is tried again, and said once */
    struct brake_grounds grounds;
};

struct pull {
    struct policy *policy;
    struct brake_request request;
};

static struct braked *find_braked(const struct policy *policy, uint32_t user_id)
{
    struct key_entry *entry = key_table_find(&policy->quotas.braked, user_id);

    return entry ? CONTAINER_OF(entry, struct braked, entry) : NULL;
}

/* Without memory the next message tries again. */
static bool add_braked(struct policy *policy, uint32_t user_id, bool is_stored,
                       const struct brake_grounds *grounds)
{
    struct braked *braked = calloc(1, sizeof(*braked));

    if (braked) {
        *braked = (struct braked){.entry.key = user_id,
                                  .is_stored = is_stored,
                                  .retry.node.place = HEAP_NOWHERE,
                                  .grounds = *grounds};
        if (key_table_add(&policy->quotas.braked, &braked->entry) == 0)
            return true;
    }
    free(braked);
    brake_book_rearm(&policy->quotas.brake, user_id);
    return false;
}

static void remove_braked(struct policy *policy, struct braked *braked)
{
    policy_cancel_due(policy, &braked->retry);
    key_table_remove(&policy->quotas.braked, &braked->entry);
    free(braked);
}

bool quotas_is_braked(const struct policy *policy, const struct user *user)
{
    return user->braked_utc_ms != 0 || find_braked(policy, user->id) != NULL;
}

static void store(struct policy *policy, uint32_t user_id, const struct brake_grounds *grounds);

static void store_again(struct policy *policy, struct due *due)
{
    struct braked *braked = CONTAINER_OF(due, struct braked, retry);

    store(policy, (uint32_t)braked->entry.key, &braked->grounds);
}

/* Without memory what was seen stays, and its next message pulls the brake again. */
static void put_off(struct policy *policy, struct braked *braked)
{
    uint32_t user_id = (uint32_t)braked->entry.key;

    braked->retry.fire = store_again;
    if (!policy->is_stopping &&
        policy_set_due(policy, &braked->retry, clock_monotonic_ms() + STORE_AGAIN_MS) == 0)
        return;
    brake_book_rearm(&policy->quotas.brake, user_id);
    remove_braked(policy, braked);
}

static void on_stored(struct registry_request *request)
{
    struct pull *pull = CONTAINER_OF(request, struct pull, request.request);
    struct policy *policy = pull->policy;
    struct braked *braked = find_braked(policy, pull->request.user_id);

    policy->n_outstanding--;
    if (braked && request->result == REGISTRY_OK)
        braked->is_stored = true;
    else if (braked)
        put_off(policy, braked);
    free(pull);
}

static void store(struct policy *policy, uint32_t user_id, const struct brake_grounds *grounds)
{
    struct pull *pull = calloc(1, sizeof(*pull));

    if (!pull)
        return;
    pull->policy = policy;
    pull->request = (struct brake_request){
        .request = {.answer_to = policy->mailbox, .done = on_stored, .by = SLICE_LITERAL("brake")},
        .user_id = user_id,
        .grounds = *grounds
    };
    policy->n_outstanding++;
    if (!registry_brake_user(policy->registry, &pull->request)) {
        pull->request.request.result = REGISTRY_FAILED;
        on_stored(&pull->request.request);
    }
}

struct slice quotas_address_of(const struct user *user)
{
    if (user->contact.len)
        return user->contact;
    return slice_find(user->name, '@') > 0 ? user->name : (struct slice){NULL, 0};
}

static void tell(struct policy *policy, const struct user *user,
                 const struct brake_grounds *grounds)
{
    EVENT(EVENT_USER_BRAKED, field_slice("user", user->name),
          field_text("cause", brake_cause_name(grounds->cause)),
          field_number("recipients", grounds->n_recipients), field_number("bad", grounds->n_bad),
          field_number("networks", grounds->n_networks));
    if (policy->quotas.tell && !policy->is_stopping)
        policy->quotas.tell(policy->quotas.owner,
                            &(struct quota_notice){.kind = NOTICE_BRAKED,
                                                   .user_id = user->id,
                                                   .user = user->name,
                                                   .address = quotas_address_of(user),
                                                   .grounds = *grounds});
}

void quotas_look_at(struct policy *policy, const struct user *user, struct brake_grounds grounds)
{
    if (grounds.cause == BRAKE_NOT || find_braked(policy, user->id))
        return;
    if (user->braked_utc_ms) { /* since before this start: who enables it is to be noticed */
        (void)add_braked(policy, user->id, true, &grounds);
        return;
    }
    if (!policy->settings.has_brake) {
        brake_book_release(&policy->quotas.brake, user->id);
        return;
    }
    if (!add_braked(policy, user->id, false, &grounds))
        return;
    tell(policy, user, &grounds);
    store(policy, user->id, &grounds);
}

void quotas_note_login(struct policy *policy, const struct user *user, struct ip_address peer)
{
    int64_t utc_ms = clock_utc_ms();
    bool is_noteworthy;
    struct brake_grounds grounds = brake_book_login(&policy->quotas.brake, user->id, peer,
                                                    user->created_utc_ms, utc_ms, &is_noteworthy);

    if (is_noteworthy)
        quotas_note_network(
            policy, &(struct brake_network){user->id, brake_network_of(peer), utc_ms, utc_ms});
    if (user->has_brake)
        quotas_look_at(policy, user, grounds);
}

/* Whom somebody released since. */
void quotas_directory_changed(struct policy *policy)
{
    struct key_table *table = &policy->quotas.braked;

    for (uint32_t i = 0; i < table->n_buckets; i++)
        for (struct key_entry *entry = table->buckets[i], *next; entry; entry = next) {
            struct braked *braked = CONTAINER_OF(entry, struct braked, entry);
            const struct user *user = directory_user_by_id(policy->directory, (uint32_t)entry->key);

            next = entry->next;
            if (braked->is_stored && (!user || !user->braked_utc_ms)) {
                brake_book_release(&policy->quotas.brake, (uint32_t)entry->key);
                remove_braked(policy, braked);
            }
        }
}
