/* `queue summary`: how much waits, by state and by domain.  Two questions to the loops, one answer.
 */
#include <stdlib.h>
#include <string.h>

#include "relay/base/list.h"
#include "webui/queue_json.h"
#include "webui/routes.h"

enum { MOST_DOMAINS = 100 }; /* shown: those that most mail waits for */

struct summary {
    struct delivery_command count;
    struct delivery_domains domains;
    struct exchange *exchange;
};

struct domain_count {
    struct slice name;
    uint64_t n;
};

static int compare_names(const void *a, const void *b)
{
    struct slice left = ((const struct domain_count *)a)->name;
    struct slice right = ((const struct domain_count *)b)->name;
    int order = memcmp(left.data, right.data, left.len < right.len ? left.len : right.len);

    return order ? order : (left.len > right.len) - (left.len < right.len);
}

static int compare_counts(const void *a, const void *b)
{
    uint64_t left = ((const struct domain_count *)a)->n,
             right = ((const struct domain_count *)b)->n;

    return left < right ? 1 : left > right ? -1 : compare_names(a, b);
}

/* Takes counts apart; a domain on its way between loops is counted in both and added up here. */
static size_t read_counts(struct slice counts, struct domain_count *rows, size_t most)
{
    struct reader reader = {.rest = counts};
    size_t n = 0, n_merged = 0;

    while (n < most && reader.rest.len) {
        rows[n].n = reader_u32(&reader);
        (void)reader_u32(&reader); /* how fast it goes */
        rows[n].name = reader_counted(&reader);
        if (reader.failed)
            break;
        n++;
    }
    qsort(rows, n, sizeof(*rows), compare_names);
    for (size_t i = 0; i < n; i++)
        if (n_merged && slice_equal(rows[n_merged - 1].name, rows[i].name))
            rows[n_merged - 1].n += rows[i].n;
        else
            rows[n_merged++] = rows[i];
    qsort(rows, n_merged, sizeof(*rows), compare_counts);
    return n_merged;
}

json_t *queue_domains_json(struct slice counts, size_t *n_domains)
{
    /* A row is at least two numbers, a length and one byte. */
    size_t most = counts.len / (3 * sizeof(uint32_t) + 1);
    CLEANUP(free) struct domain_count *rows = calloc(most + 1, sizeof(*rows));
    json_t *items = json_array();

    *n_domains = rows ? read_counts(counts, rows, most) : 0;
    for (size_t i = 0; i < *n_domains && i < MOST_DOMAINS; i++)
        json_array_append_new(items, json_pack("{s:o, s:I}", "domain", json_slice(rows[i].name),
                                               "recipients", (json_int_t)rows[i].n));
    return items;
}

static void on_domains(struct delivery_domains *request)
{
    struct summary *summary = CONTAINER_OF(request, struct summary, domains);
    size_t n_domains;
    json_t *items = queue_domains_json(buffer_slice(&request->counts), &n_domains);

    buffer_fini(&request->counts);
    exchange_answer(summary->exchange, 200,
                    json_pack("{s:I, s:o, s:I, s:o}", "recipients",
                              (json_int_t)summary->count.n_selected, "by_state",
                              queue_states_json(&summary->count), "n_domains",
                              (json_int_t)n_domains, "domains", items));
}

static void on_counted(struct delivery_command *request)
{
    struct summary *summary = CONTAINER_OF(request, struct summary, count);
    const struct operations *operations = summary->exchange->webui->parts.operations;

    summary->domains.answer_to = summary->exchange->webui->mailbox;
    summary->domains.done = on_domains;
    if (!operations->domains(operations->owner, &summary->domains))
        exchange_busy(summary->exchange);
}

void api_queue_summary(struct exchange *exchange)
{
    const struct operations *operations = exchange->webui->parts.operations;
    struct summary *summary = exchange_memory(exchange, sizeof(*summary));

    if (!summary)
        return;
    summary->exchange = exchange;
    summary->count.verb = DELIVERY_COUNT;
    summary->count.selection.is_all = true;
    summary->count.answer_to = exchange->webui->mailbox;
    summary->count.done = on_counted;
    if (!operations->command(operations->owner, &summary->count))
        exchange_busy(exchange);
}
