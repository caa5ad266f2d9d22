/* By what equal questions about a password are known, without keeping the password.  Thread: any.
 */
#pragma once

#include "policy/authenticator.h"
#include "relay/base/secret.h"

void login_digest(uint8_t out[DIGEST_BYTES], const uint8_t key[HASH_KEY_BYTES],
                  const struct login_request *request);

uint64_t login_digest_key(const uint8_t digest[DIGEST_BYTES]); /* for tables */
