#include "policy/password.h"

#include "relay/base/secret.h"

/* Without 0 O 1 I l and their like; 32 of them, so that a random byte's five bits pick one evenly.
 */
static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
_Static_assert(sizeof(alphabet) - 1 == 32, "five bits pick a letter");

enum { FEWEST_DIFFERENT = 5 };

/* Long enough and still the first that anybody tries. */
static const char *const common[] = {
    "passwordpassword",           "password12345678",          "123456789012345",
    "1234567890123456",           "12345678901234567890",      "qwertyuiopasdfgh",
    "qwertyuiopasdfghjklzxcvbnm", "abcdefghijklmno",           "abcdefghijklmnopqrstuvwxyz",
    "iloveyouiloveyou",           "correcthorsebatterystaple", "1q2w3e4r5t6y7u8i9o0p",
    "administrator123",           "changemechangeme",          "letmeinletmeinletmein",
};

static unsigned count_different(struct slice password)
{
    bool seen[256] = {false};
    unsigned n = 0;

    for (size_t i = 0; i < password.len; i++) {
        unsigned char c = (unsigned char)password.data[i];

        n += !seen[c];
        seen[c] = true;
    }
    return n;
}

static bool has_control(struct slice password)
{
    for (size_t i = 0; i < password.len; i++)
        if ((unsigned char)password.data[i] < ' ' || password.data[i] == 0x7f)
            return true;
    return false;
}

static bool is_common(struct slice password)
{
    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
        if (slice_equal_ignoring_case(password, slice_of(common[i])))
            return true;
    return false;
}

const char *password_weakness(struct slice password, struct slice user_name)
{
    if (password.len < PASSWORD_MIN_LENGTH)
        return "has fewer than 15 characters";
    if (password.len > PASSWORD_MAX_LENGTH)
        return "has more than 512 characters";
    if (has_control(password))
        return "has a control character in it";
    if (slice_equal_ignoring_case(password, user_name))
        return "is the user's name";
    if (count_different(password) < FEWEST_DIFFERENT || is_common(password))
        return "is one that is tried first";
    return NULL;
}

void password_generate(char out[GENERATED_PASSWORD_SIZE])
{
    uint8_t bytes[GENERATED_PASSWORD_LENGTH];

    random_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        out[i] = alphabet[bytes[i] & 31];
    out[GENERATED_PASSWORD_LENGTH] = '\0';
    secret_wipe(bytes, sizeof(bytes));
}
