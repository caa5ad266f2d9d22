/* Compares one password with what is stored for a user.  Whatever the answer, it costs one of our
 * own slow hashes: a right imported hash is replaced by one, a wrong one or an unknown user is
 * compared with a decoy.  So the time does not tell who exists.
 * Thread: a worker; reads an immutable snapshot. */
#pragma once

#include "policy/credential.h"
#include "relay/base/secret.h"

enum { LOGIN_CHECK_HASH = UINT32_MAX }; /* the credential_id of `hash` */

struct login_check {
    const struct user *user; /* NULL: unknown or disabled */
    struct slice password;
    bool without_app;                  /* passwords of programs do not count */
    char hash[PASSWORD_HASH_SIZE];     /* not empty: this alone counts */
    const char *decoy;                 /* a hash of our own kind that no password fits */
    uint32_t credential_id;            /* out; 0: the password is wrong */
    bool has_new_hash;                 /* out: the credential was imported */
    char new_hash[PASSWORD_HASH_SIZE]; /* out */
    unsigned n_slow_hashes;            /* out */
};

void login_check_run(struct login_check *check);
