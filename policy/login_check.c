#include "policy/login_check.h"

#include "policy/imported_hash.h"

static bool try_credential(struct login_check *check, const struct credential *credential)
{
    bool is_native = imported_hash_is_native(credential->hash);

    check->n_slow_hashes += is_native;
    if (!imported_hash_verify(credential->hash, check->password))
        return false;
    check->credential_id = credential->id;
    if (!is_native) {
        check->has_new_hash = password_hash(check->new_hash, check->password) == 0;
        check->n_slow_hashes++;
    }
    return true;
}

void login_check_run(struct login_check *check)
{
    uint32_t n_credentials = check->user ? check->user->n_credentials : 0;

    check->credential_id = 0;
    check->has_new_hash = false;
    check->n_slow_hashes = 0;
    if (*check->hash) {
        check->n_slow_hashes = 1;
        if (password_verify_argon2(check->hash, check->password))
            check->credential_id = LOGIN_CHECK_HASH;
        return;
    }
    for (uint32_t i = 0; i < n_credentials; i++)
        if (!(check->without_app && check->user->credentials[i].is_app) &&
            try_credential(check, &check->user->credentials[i]))
            return;
    if (check->n_slow_hashes)
        return;
    check->n_slow_hashes = 1;
    (void)password_verify_argon2(check->decoy, check->password);
}
