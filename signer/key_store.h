/* The folder of private keys, and which of them sign.  A key is one file named
 * SELECTOR._domainkey.DOMAIN.TYPE.pem, ending in .idle instead while it does not sign; at most one
 * of a type signs for a domain.  Names are read at start, a key is decoded at its first use.
 * Readers see an immutable set (key_set.h); a change makes a new one.
 * Thread: any; changes are serialised inside. */
#pragma once

#include "signer/key_set.h"
#include "signer/private_key.h"

struct key_store;

/* Opens the folder; made first, mode 0700 and owned by user (NULL: as it is), if it is not there.
 * Before rights are dropped: its parents need not be open to the signer's user. 0 or -errno. */
MUST_USE int key_store_open_folder(int *dir_fd, const char *folder, const char *user);

/* Takes dir_fd.  0; -EACCES when the folder is not ours alone (owner, 0700); or -errno. */
MUST_USE int key_store_open(struct key_store **out, int dir_fd);
struct key_store *key_store_close(struct key_store *store); /* accepts NULL, returns NULL */

struct key_set *key_store_current(struct key_store *store); /* a reference of the caller's */

/* Decoded now if never before; NULL when its file is unreadable or not a key (logged once).
 * Good while a set that has key is held. */
EVP_PKEY *signing_key_private(struct key_store *store, const struct signing_key *key);

/* Changes; the disk has them when 0 is returned. */
MUST_USE int key_store_create(struct key_store *store, const struct key_name *name,
                              enum dkim_key_type type); /* idle; 0, -EEXIST, -errno */
MUST_USE int key_store_import(struct key_store *store, const struct key_name *name,
                              struct slice pem,
                              char why[KEY_WHY_SIZE]); /* as above, or -EBADMSG and why */

/* Activating a key retires the one of its type that signed so far. 0, -ENOENT, -errno. */
MUST_USE int key_store_set_active(struct key_store *store, const struct key_name *name,
                                  bool is_active);
MUST_USE int key_store_delete(struct key_store *store, const struct key_name *name);
