/* Uses are noted in memory and told to the registry every few seconds, so that a busy user costs a
 * row now and then and not one per login. */
#include "policy/credential_upkeep.h"

#include "policy/registry_credentials.h"

enum { FLUSH_MS = 5000, MOST_NOTED = 4096 };

struct noted_use {
    struct key_entry entry; /* by the credential's id */
    int64_t utc_ms;
};

struct use_message {
    struct policy *policy;
    struct note_use_request note; /* last: its array follows */
};

static void forget_use(struct policy *policy, struct noted_use *use)
{
    key_table_remove(&policy->authenticator.uses, &use->entry);
    free(use);
}

static void message_done(struct registry_request *request)
{
    struct use_message *message = CONTAINER_OF(request, struct use_message, note.request);

    message->policy->n_outstanding--;
    free(message);
}

void credential_uses_flush(struct policy *policy)
{
    struct key_table *uses = &policy->authenticator.uses;
    uint32_t n = uses->n_entries;
    struct use_message *message;
    struct key_entry *entry;

    if (!n)
        return;
    message = calloc(1, sizeof(*message) + n * sizeof(struct credential_use));
    while ((entry = key_table_take_any(uses))) {
        struct noted_use *use = CONTAINER_OF(entry, struct noted_use, entry);

        if (message)
            message->note.uses[message->note.n_uses++] =
                (struct credential_use){(uint32_t)entry->key, use->utc_ms};
        free(use);
    }
    if (!message)
        return;
    message->policy = policy;
    message->note.request.answer_to = policy->mailbox;
    message->note.request.done = message_done;
    message->note.request.by = SLICE_LITERAL("login");
    policy->n_outstanding++;
    if (!registry_note_use(policy->registry, &message->note))
        message_done(&message->note.request);
}

void credential_uses_fire(struct policy *policy, struct due *due)
{
    (void)due;
    credential_uses_flush(policy);
}

void credential_uses_note(struct policy *policy, uint32_t credential_id)
{
    struct authenticator *authenticator = &policy->authenticator;
    struct key_entry *entry = key_table_find(&authenticator->uses, credential_id);
    struct noted_use *use = entry ? CONTAINER_OF(entry, struct noted_use, entry) : NULL;

    if (!use) {
        if (authenticator->uses.n_entries >= MOST_NOTED)
            credential_uses_flush(policy);
        use = calloc(1, sizeof(*use));
        if (!use)
            return;
        use->entry.key = credential_id;
        if (key_table_add(&authenticator->uses, &use->entry) != 0) {
            free(use);
            return;
        }
    }
    use->utc_ms = clock_utc_ms();
    if (authenticator->flush_uses.node.place == HEAP_NOWHERE &&
        policy_set_due(policy, &authenticator->flush_uses, clock_monotonic_ms() + FLUSH_MS) != 0)
        forget_use(policy, use);
}

/* ---- imported hashes ---- */

struct rehash_message {
    struct rehash_request rehash; /* first */
    struct policy *policy;
    struct directory *directory; /* keeps old_hash */
};

static void rehash_done(struct registry_request *request)
{
    struct rehash_message *message = (struct rehash_message *)(void *)request;

    message->policy->n_outstanding--;
    directory_unref(message->directory);
    free(message);
}

void credential_rehash(struct policy *policy, struct directory *directory,
                       const struct credential *credential, const char new_hash[PASSWORD_HASH_SIZE])
{
    struct rehash_message *message = calloc(1, sizeof(*message));
    struct rehash_request *rehash;

    if (!message)
        return; /* the next login tries again */
    rehash = &message->rehash;
    message->policy = policy;
    message->directory = directory_ref(directory);
    rehash->credential_id = credential->id;
    rehash->old_hash = credential->hash;
    memcpy(rehash->new_hash, new_hash, sizeof(rehash->new_hash));
    rehash->request.answer_to = policy->mailbox;
    rehash->request.done = rehash_done;
    rehash->request.by = SLICE_LITERAL("login");
    policy->n_outstanding++;
    if (!registry_rehash(policy->registry, rehash))
        rehash_done(&rehash->request);
}
