#include "policy/login_digest.h"

#include <string.h>

enum { MOST_NAME = 255, NAME_AT = 2 * DIGEST_BYTES + 1 };

/* Name, password, door and what the password is compared with together, so that none can be shifted
 * into another. */
void login_digest(uint8_t out[DIGEST_BYTES], const uint8_t key[HASH_KEY_BYTES],
                  const struct login_request *request)
{
    char bytes[NAME_AT + MOST_NAME];
    struct slice name = slice_head(request->user, MOST_NAME);

    keyed_digest((uint8_t *)bytes, key, request->password);
    keyed_digest((uint8_t *)bytes + DIGEST_BYTES, key, request->hash);
    bytes[NAME_AT - 1] = (char)request->door;
    for (size_t i = 0; i < name.len; i++)
        bytes[NAME_AT + i] = ascii_lower(name.data[i]);
    keyed_digest(out, key, slice_from(bytes, NAME_AT + name.len));
    secret_wipe(bytes, sizeof(bytes));
}

uint64_t login_digest_key(const uint8_t digest[DIGEST_BYTES])
{
    uint64_t key;

    memcpy(&key, digest, sizeof(key));
    return key;
}
