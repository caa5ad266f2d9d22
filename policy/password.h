/* New passwords: what is good enough, and how one is made.
 * Thread: any; pure, apart from the random source. */
#pragma once

#include "relay/base/fault.h"
#include "relay/base/slice.h"

enum {
    PASSWORD_MIN_LENGTH = 15, /* NIST SP 800-63B-4: when it stands alone */
    PASSWORD_MAX_LENGTH = 512,
    GENERATED_PASSWORD_LENGTH = 24, /* 32 letters and digits that cannot be confused: 120 bits */
    GENERATED_PASSWORD_SIZE = GENERATED_PASSWORD_LENGTH + 1,
};

/* NULL when good; else the reason, to be put behind "the password ". */
const char *password_weakness(struct slice password, struct slice user_name);

void password_generate(char out[GENERATED_PASSWORD_SIZE]);
