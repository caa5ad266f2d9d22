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
    struct directory *const *directory; /* always the newest: it may change while we run */
    const unsigned *n_retiring;         /* orders that take keys out of use: none is mended now */
    struct key_list_request list;
    struct key_request activation;
    struct key_name last;                    /* the last key seen; the next page begins behind */
    struct key_name idle[KEY_CHECK_AT_ONCE]; /* to be activated before the next page */
    unsigned n_idle;
    bool is_running, runs_again, has_more;
};

/* The owner sets client, directory and n_retiring before.  One that runs runs once more. */
void key_check_begin(struct key_check *check);
