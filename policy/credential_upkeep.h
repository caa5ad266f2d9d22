/* What a successful login leaves behind: when the credential was used, told to the registry every
 * few seconds, and a hash of our own in place of an imported one.
 * Thread: the policy thread. */
#pragma once

#include "policy/credential.h"
#include "policy/policy_internal.h"

void credential_uses_note(struct policy *policy, uint32_t credential_id);
void credential_uses_flush(struct policy *policy);
void credential_uses_fire(struct policy *policy, struct due *due); /* the same, when it is due */

/* The credential is one of the directory's. */
void credential_rehash(struct policy *policy, struct directory *directory,
                       const struct credential *credential,
                       const char new_hash[PASSWORD_HASH_SIZE]);
