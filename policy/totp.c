#include "policy/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { DIGITS = 6, MODULUS = 1000000, STEPS_EITHER_SIDE = 1 };

uint32_t totp_code(struct slice secret, int64_t step)
{
    uint8_t counter[8], mac[EVP_MAX_MD_SIZE] = {0};
    unsigned len = 0, at;

    for (int i = 7; i >= 0; i--, step >>= 8)
        counter[i] = (uint8_t)(step & 0xff);
    HMAC(EVP_sha1(), secret.data, (int)secret.len, counter, sizeof(counter), mac, &len);
    at = len ? mac[len - 1] & 0x0fU : 0; /* RFC 4226 5.3 */
    return (((mac[at] & 0x7fU) << 24) | ((uint32_t)mac[at + 1] << 16) |
            ((uint32_t)mac[at + 2] << 8) | mac[at + 3]) %
           MODULUS;
}

bool totp_check(struct slice secret, struct slice code, int64_t utc_ms, int64_t after_step,
                int64_t *step)
{
    int64_t now = utc_ms / 1000 / TOTP_STEP_S;
    uint64_t number;

    if (secret.len != TOTP_SECRET_BYTES || code.len != DIGITS ||
        !slice_to_number(code, MODULUS - 1, &number))
        return false;
    for (int64_t at = now - STEPS_EITHER_SIDE; at <= now + STEPS_EITHER_SIDE; at++)
        if (at > after_step && totp_code(secret, at) == number) {
            *step = at;
            return true;
        }
    return false;
}

void totp_base32(const uint8_t secret[TOTP_SECRET_BYTES], char out[TOTP_BASE32_SIZE])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint32_t bits = 0;
    unsigned n_bits = 0;
    size_t at = 0;

    for (size_t i = 0; i < TOTP_SECRET_BYTES; i++) {
        bits = (bits << 8) | secret[i];
        for (n_bits += 8; n_bits >= 5; n_bits -= 5)
            out[at++] = letters[(bits >> (n_bits - 5)) & 31U];
    }
    out[at] = '\0';
}
