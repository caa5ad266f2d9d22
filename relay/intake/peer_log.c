#include "relay/intake/peer_log.h"

#include <stdlib.h>

#include "relay/base/log.h"
#include "relay/base/secret.h"

struct peer {
    struct key_entry entry;
    struct list links;
    struct ip_address address;
    uint32_t n_lines[N_PEER_LOG_BUDGETS];
    uint64_t n_suppressed;
};

void peer_log_init(struct peer_log *log)
{
    *log = (struct peer_log){0};
    list_init(&log->peers);
}

static struct peer *add_peer(struct peer_log *log, uint64_t key, struct ip_address address)
{
    struct peer *peer = log->table.n_entries < PEER_LOG_PEERS ? calloc(1, sizeof(*peer)) : NULL;

    if (!peer)
        return NULL;
    peer->entry.key = key;
    peer->address = address;
    if (key_table_add(&log->table, &peer->entry) != 0) {
        free(peer);
        return NULL;
    }
    list_append(&log->peers, &peer->links);
    return peer;
}

/* NULL: there is no place left, or no memory. */
static struct peer *peer_of(struct peer_log *log, struct ip_address address)
{
    struct ip_address counted = ip_counted_as(address);
    uint64_t key =
        table_hash(slice_from(counted.bytes, sizeof(counted.bytes))) ^ (uint64_t)counted.family;
    struct key_entry *entry = key_table_find(&log->table, key);

    return entry ? CONTAINER_OF(entry, struct peer, entry) : add_peer(log, key, counted);
}

/* A failed login is also said of a peer beyond PEER_LOG_PEERS: connecting from many addresses takes
 * all places, and then the guessing would begin unseen. */
static bool has_line(const struct peer_log *log, const struct peer *peer,
                     enum peer_log_budget budget)
{
    if (log->n_lines[budget] >= PEER_LOG_LINES_OF_ALL)
        return false;
    return peer ? peer->n_lines[budget] < PEER_LOG_LINES : budget == PEER_LOG_LOGINS;
}

bool peer_log_may(struct peer_log *log, enum event_kind kind, struct ip_address address)
{
    enum peer_log_budget budget = kind == EVENT_LOGIN_FAILED ? PEER_LOG_LOGINS : PEER_LOG_REST;
    struct peer *peer;

    if (event_level_of(kind) < log_level())
        return false;
    peer = peer_of(log, address);
    if (has_line(log, peer, budget)) {
        log->n_lines[budget]++;
        if (peer)
            peer->n_lines[budget]++;
        return true;
    }
    if (peer)
        peer->n_suppressed++;
    else
        log->n_others++;
    return false;
}

static void tell(const char *ip, uint64_t n)
{
    if (n)
        EVENT(EVENT_SUPPRESSED, field_text("ip", ip), field_number("n", (int64_t)n));
}

void peer_log_end_window(struct peer_log *log)
{
    struct list *links;
    char text[IP_TEXT_SIZE];

    while ((links = list_take_first(&log->peers))) {
        struct peer *peer = CONTAINER_OF(links, struct peer, links);

        ip_print(peer->address, text);
        tell(text, peer->n_suppressed);
        key_table_remove(&log->table, &peer->entry);
        free(peer);
    }
    tell(NULL, log->n_others);
    key_table_fini(&log->table);
    peer_log_init(log);
}
