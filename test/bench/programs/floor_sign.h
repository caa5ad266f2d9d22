/* One RSA-2048 DKIM signature (RFC 6376, relaxed/relaxed, rsa-sha256) at the least cost that is
 * still right: the body is hashed as it lies unless its white space needs folding.
 * Thread: one signer per thread. */
#pragma once

#include <stddef.h>

struct floor_signer;

struct floor_signer *floor_signer_new(const char *key_file, const char *domain,
                                      const char *selector);
/* Writes "DKIM-Signature: ...CRLF" for the message to out; returns its length. */
size_t floor_sign(struct floor_signer *signer, const char *message, size_t n, char *out,
                  size_t size);
