/* One private key, in memory.  Keys are decoded once: OpenSSL 3.0 needs 350 us for it, more than
 * for the signature.  PEM text exists only in memory that is wiped.
 * Thread: making and decoding any; signing with one key from several threads is fine. */
#pragma once

#include <openssl/evp.h>

#include "relay/base/buffer.h"
#include "signer/key_name.h"

enum {
    RSA_BITS_NEW = 2048,
    RSA_BITS_MIN = 1024, /* RFC 8301, 3.2 */
    RSA_BITS_MAX = 4096, /* above, receivers need not verify */
    PRIVATE_KEY_FILE_MAX = 16384,
    SIGNATURE_MAX = 512, /* octets: RSA-4096 */
};

MUST_USE int private_key_generate(EVP_PKEY **out, enum dkim_key_type type); /* 0 or -errno */

/* PEM, PKCS#8 or PKCS#1, without pass phrase; RSA of 1024 to 4096 bits, or Ed25519;
 * 0, -EBADMSG (why says exactly what is wrong with it), or -errno. */
MUST_USE int private_key_decode(EVP_PKEY **out, enum dkim_key_type *type, struct slice pem,
                                char why[KEY_WHY_SIZE]);

/* Do its numbers belong together?  Milliseconds for RSA, so at import only.  0; -EBADMSG, why. */
MUST_USE int private_key_check(EVP_PKEY *key, char why[KEY_WHY_SIZE]);

/* PKCS#8 PEM, appended; wipe with private_key_wipe(). */
MUST_USE int private_key_encode(EVP_PKEY *key, struct buffer *out);
void private_key_wipe(struct buffer *pem); /* zeroes and frees */

unsigned private_key_bits(EVP_PKEY *key);

/* Base64 of what p= holds: SubjectPublicKeyInfo for RSA, 32 octets for Ed25519. 0 or -errno. */
MUST_USE int private_key_public_half(EVP_PKEY *key, enum dkim_key_type type, struct buffer *out);

/* Signs the SHA-256 digest of the canonical headers (Ed25519: RFC 8463, 3).  Returns the length
 * of the signature or -EIO. */
MUST_USE int private_key_sign(EVP_PKEY *key, enum dkim_key_type type, const uint8_t digest[32],
                              uint8_t out[SIGNATURE_MAX]);
