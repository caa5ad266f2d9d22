#include "policy/networks.h"

#include <errno.h>

enum { N_PREFIXES = 129, N_FAMILIES = 2 };

/* Sorted by family, then longest prefix, then first address; the rules of one family and prefix
 * length are one run, searched by halving.  Few lengths are ever in use. */
struct run {
    int family;
    unsigned prefix_bits;
    uint32_t begin, end;
};

struct networks {
    uint32_t n_runs;
    struct run runs[N_PREFIXES * N_FAMILIES];
    uint32_t n_rules;
    struct network_rule rules[];
};

static int compare_networks(const struct network *a, const struct network *b)
{
    if (a->first.family != b->first.family)
        return a->first.family < b->first.family ? -1 : 1;
    if (a->prefix_bits != b->prefix_bits)
        return a->prefix_bits > b->prefix_bits ? -1 : 1;
    return memcmp(a->first.bytes, b->first.bytes, sizeof(a->first.bytes));
}

static int compare_rules(const void *a, const void *b)
{
    const struct network_rule *left = a, *right = b;

    return compare_networks(&left->network, &right->network);
}

static void note_runs(struct networks *networks)
{
    struct run *run = NULL;

    for (uint32_t i = 0; i < networks->n_rules; i++) {
        const struct network *network = &networks->rules[i].network;

        if (!run || run->family != network->first.family ||
            run->prefix_bits != network->prefix_bits) {
            run = &networks->runs[networks->n_runs++];
            *run = (struct run){network->first.family, network->prefix_bits, i, i};
        }
        run->end = i + 1;
    }
}

/* Of equal networks the one that was given first comes first: qsort() alone does not promise it. */
static int compare_given(const void *a, const void *b)
{
    const struct network_rule *left = *(const struct network_rule *const *)a;
    const struct network_rule *right = *(const struct network_rule *const *)b;
    int order = compare_rules(left, right);

    return order ? order : left < right ? -1 : left > right;
}

/* Copies the rules in their order, each network once. */
static int sort_rules(struct networks *networks, const struct network_rule *rules, uint32_t n_rules)
{
    CLEANUP(free) const struct network_rule **given = calloc(n_rules + 1, sizeof(void *));

    if (!given)
        return FAULT(-ENOMEM);
    for (uint32_t i = 0; i < n_rules; i++)
        given[i] = &rules[i];
    qsort(given, n_rules, sizeof(void *), compare_given);
    for (uint32_t i = 0; i < n_rules; i++)
        if (i == 0 || compare_rules(given[i - 1], given[i]) != 0)
            networks->rules[networks->n_rules++] = *given[i];
    return 0;
}

int networks_build(struct networks **out, const struct network_rule *rules, uint32_t n_rules)
{
    struct networks *networks = calloc(1, sizeof(*networks) + n_rules * sizeof(rules[0]));
    int error;

    if (!networks)
        return FAULT(-ENOMEM);
    error = sort_rules(networks, rules, n_rules);
    if (error) {
        free(networks);
        return error;
    }
    note_runs(networks);
    *out = networks;
    return 0;
}

struct networks *networks_free(struct networks *networks)
{
    free(networks);
    return NULL;
}

const struct network_rule *networks_find(const struct networks *networks, struct ip_address address)
{
    for (uint32_t i = 0; i < networks->n_runs; i++) {
        const struct run *run = &networks->runs[i];
        struct network_rule wanted = {{.prefix_bits = run->prefix_bits}, 0};
        const struct network_rule *found;

        if (run->family != address.family)
            continue;
        wanted.network.first = ip_truncated(address, run->prefix_bits);
        found = bsearch(&wanted, networks->rules + run->begin, run->end - run->begin,
                        sizeof(wanted), compare_rules);
        if (found)
            return found;
    }
    return NULL;
}
