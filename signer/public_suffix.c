#include "signer/public_suffix.h"

#include <errno.h>
#include <libpsl.h>

struct public_suffix {
    psl_ctx_t *list;
};

int public_suffix_open(struct public_suffix **out)
{
    struct public_suffix *list = malloc(sizeof(*list));

    if (!list)
        return FAULT(-ENOMEM);
    list->list = psl_latest(NULL); /* the distribution's file, or what libpsl was built with */
    if (!list->list) {
        free(list);
        return FAULT(-ENOENT);
    }
    *out = list;
    return 0;
}

struct public_suffix *public_suffix_close(struct public_suffix *list)
{
    if (list)
        psl_free(list->list);
    free(list);
    return NULL;
}

bool public_suffix_organisational(const struct public_suffix *list, const char *domain,
                                  char out[DKIM_DOMAIN_SIZE])
{
    const char *found = list ? psl_registrable_domain(list->list, domain) : NULL;

    return found && slice_copy_to(slice_of(found), out, DKIM_DOMAIN_SIZE);
}
