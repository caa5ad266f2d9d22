/* When a signer answers: is each key that the registry calls active active there too?  A relay that
 * ends between the two leaves it idle, and its domain's mail would go unsigned for good.  Only what
 * is missing is mended: a key that the registry does not know stays as it is.
 * Thread: the desk's loop; private to relay/control. */
#pragma once

#include "policy/directory.h"
#include "signer/client.h"

enum { KEY_CHECK_AT_ONCE = 32 };

struct key_check {
    struct signer_client *client;
    struct directory *directory; /* while it runs */
    struct key_list_request list;
    struct key_request activation;
    struct key_name last;                    /* the last key seen; the next page begins behind */
    struct key_name idle[KEY_CHECK_AT_ONCE]; /* to be activated before the next page */
    unsigned n_idle;
    bool has_more;
};

void key_check_begin(struct key_check *check, struct signer_client *client,
                     struct directory *directory); /* takes a reference of its own */
void key_check_fini(struct key_check *check);      /* after signer_client_free() */
