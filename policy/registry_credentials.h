/* What the authenticator tells the registry.  Inside policy/ only; how to ask is said in
 * registry_users.h.  Thread: any. */
#pragma once

#include "policy/registry.h"
#include "relay/base/secret.h"

/* An imported hash, verified, becomes one of our own; nothing when it was changed meanwhile. */
struct rehash_request {
    struct registry_request request;
    uint32_t credential_id;
    struct slice old_hash;
    char new_hash[PASSWORD_HASH_SIZE];
};
MUST_USE bool registry_rehash(struct registry *registry, struct rehash_request *request);

struct credential_use {
    uint32_t credential_id;
    int64_t utc_ms;
};
struct note_use_request {
    struct registry_request request;
    uint32_t n_uses;
    struct credential_use uses[];
};
MUST_USE bool registry_note_use(struct registry *registry, struct note_use_request *request);
