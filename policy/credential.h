/* How a user can prove to be that user.  Inside policy/ only: hashes go to the worker pool and
 * nowhere else.  Thread: any; part of a snapshot. */
#pragma once

#include "policy/directory.h"

struct credential {
    uint32_t id; /* a new password is a new credential */
    struct slice hash;
    bool is_app;         /* for one program: it sends mail, and does not sign in to the panel */
    uint32_t n_networks; /* 0: from anywhere */
    const struct network *networks;
};

/* NULL when the user has none of that id. */
const struct credential *user_credential(const struct user *user, uint32_t id);

bool credential_is_allowed_from(const struct credential *credential, struct ip_address peer);
