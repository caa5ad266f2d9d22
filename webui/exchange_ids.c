#include "webui/exchange_ids.h"

#include <stdlib.h>

#include "relay/spool/queue_id.h"

static int compare_ids(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

static bool refuse(struct exchange *exchange, const char *code, const char *detail)
{
    exchange_problem(exchange, 422, code, detail);
    return false;
}

bool exchange_ids(struct exchange *exchange, const uint64_t **out, size_t *n_out)
{
    const struct slice *texts;
    int n = exchange_texts(exchange, "ids", &texts);
    uint64_t *ids = n < 0 ? NULL : exchange_memory(exchange, ((size_t)n + 1) * sizeof(*ids));

    if (!ids)
        return false;
    if (n == 0)
        return refuse(exchange, "nothing_selected", "The list of ids is empty.");
    for (int i = 0; i < n; i++)
        if (!queue_id_parse(texts[i], &ids[i]))
            return refuse(exchange, "bad_id", "One of the ids is no queue id.");
    qsort(ids, (size_t)n, sizeof(*ids), compare_ids);
    *out = ids;
    *n_out = (size_t)n;
    return true;
}
