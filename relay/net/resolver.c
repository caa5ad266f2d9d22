#include "relay/net/resolver.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unbound-event.h>
#include <unbound.h>

#include "relay/base/buffer.h"
#include "relay/base/event.h"
#include "relay/net/dns_answer.h"
#include "relay/net/memory_file.h"
#include "relay/net/trust_anchor.h"

enum {
    MOST_IN_FLIGHT = 2048, /* half of num-queries-per-thread: the rest are its own sub-queries */
    PROBE_MS = 5000,
    PROBE_AGAIN_MS = 600000,
};

struct resolver {
    struct loop *loop;
    struct ub_ctx *plain;      /* without trust anchor */
    struct ub_ctx *validating; /* NULL until signatures were seen */
    struct list waiting;       /* struct dns_query: not asked yet */
    struct list answered;      /* struct dns_query: done() is due */
    struct list flights;
    unsigned n_in_flight;
    struct later turn;
    struct timer probe_timer;
    struct dns_query probe; /* asks for the trust anchor's own key, signed */
    bool is_probing;
    struct resolver_settings settings; /* mode and flags */
    char *forwarders;                  /* one per line, in libunbound's spelling */
    char anchor_file[256];             /* empty: none */
};

/* A question that libunbound has; outlives a cancelled query. */
struct dns_flight {
    struct resolver *resolver;
    struct dns_query *query; /* NULL: cancelled */
    struct list links;
};

/* ---- libunbound's settings ---- */

/* The library's defaults are those of a stub: 16 ports, 2 TCP connections, 1 MB caches.  Its
 * built-in zones would answer NXDOMAIN for private reverse names and for tests. */
static const char common_options[] = "server:\n"
                                     "  outgoing-range: 1024\n"
                                     "  num-queries-per-thread: 4096\n"
                                     "  outgoing-num-tcp: 64\n"
                                     "  msg-cache-size: 16m\n"
                                     "  rrset-cache-size: 32m\n"
                                     "  key-cache-size: 4m\n"
                                     "  msg-cache-slabs: 1\n"
                                     "  rrset-cache-slabs: 1\n"
                                     "  infra-cache-slabs: 1\n"
                                     "  key-cache-slabs: 1\n"
                                     "  infra-host-ttl: 60\n" /* back soon after an outage */
                                     "  infra-keep-probing: yes\n"
                                     "  unblock-lan-zones: yes\n"
                                     "  insecure-lan-zones: yes\n"
                                     "  local-zone: \"test.\" nodefault\n"
                                     "  local-zone: \"127.in-addr.arpa.\" nodefault\n";

/* libunbound reads its settings with a lexer of global state, and every loop makes a context of its
 * own: one at a time.  ThreadSanitizer found this. */
static pthread_mutex_t lexer_lock = PTHREAD_MUTEX_INITIALIZER;

static int configure_text(struct ub_ctx *context, bool asks_local_servers)
{
    char text[sizeof(common_options) + 64], path[64];
    CLEANUP(close_fd) int fd = -1;
    int error;

    snprintf(text, sizeof(text), "%s  do-not-query-localhost: %s\n", common_options,
             asks_local_servers ? "no" : "yes");
    error = memory_file_new(&fd, "resolver", slice_of(text));
    if (error < 0)
        return error;
    /* Some settings are taken from a file only. */
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    pthread_mutex_lock(&lexer_lock);
    error = ub_ctx_config(context, path) == 0 ? 0 : -EINVAL;
    pthread_mutex_unlock(&lexer_lock);
    return error == 0 ? 0 : FAULT(error);
}

static int configure_servers(const struct resolver *resolver, struct ub_ctx *context)
{
    const char *line = resolver->forwarders;

    if (resolver->settings.mode == RESOLVER_RECURSE)
        return 0;
    if (resolver->settings.mode == RESOLVER_SYSTEM)
        return ub_ctx_resolvconf(context, NULL) == 0 || ub_ctx_set_fwd(context, "127.0.0.1") == 0
                   ? 0
                   : FAULT(-EINVAL);
    while (*line) {
        char address[SOCKET_TEXT_SIZE];
        size_t len = strcspn(line, "\n");

        slice_copy_to(slice_from(line, len), address, sizeof(address));
        if (ub_ctx_set_fwd(context, address) != 0)
            return FAULT(-EINVAL);
        line += len + 1;
    }
    return 0;
}

static int make_context(struct resolver *resolver, bool validates, struct ub_ctx **out)
{
    struct ub_ctx *context = ub_ctx_create_event(loop_event_base(resolver->loop));
    bool local =
        resolver->settings.mode != RESOLVER_RECURSE || resolver->settings.asks_local_servers;
    int error;

    if (!context)
        return FAULT(-ENOMEM);
    ub_ctx_debugout(context, NULL); /* our log has one form */
    error = configure_text(context, local);
    if (error == 0)
        error = configure_servers(resolver, context);
    if (error == 0 && validates && ub_ctx_add_ta_file(context, resolver->anchor_file) != 0)
        error = FAULT(-EINVAL);
    if (error < 0) {
        ub_ctx_delete(context);
        return error;
    }
    *out = context;
    return 0;
}

/* ---- answers ---- */

static void finish(struct resolver *resolver, struct dns_query *query)
{
    list_append(&resolver->answered, &query->private_.links);
    later_set(&resolver->turn);
}

static void free_flight(struct dns_flight *flight)
{
    list_remove(&flight->links);
    flight->resolver->n_in_flight--;
    if (flight->query)
        flight->query->private_.flight = NULL;
    free(flight);
}

/* libunbound's callback; may come inside ub_resolve_event(). */
static void on_answer(void *argument, int rcode, void *packet, int packet_len, int security,
                      char *why_bogus, int was_ratelimited)
{
    struct dns_flight *flight = argument;
    struct resolver *resolver = flight->resolver;
    struct dns_query *query = flight->query;

    (void)was_ratelimited;
    free_flight(flight);
    later_set(&resolver->turn); /* there is room for another question */
    if (!query)
        return;
    dns_answer_take(query, rcode, slice_from(packet, packet_len > 0 ? (size_t)packet_len : 0),
                    (enum dns_security)security, why_bogus);
    finish(resolver, query);
}

/* ---- questions ---- */

static void start(struct resolver *resolver, struct dns_query *query)
{
    struct ub_ctx *context = resolver->validating ? resolver->validating : resolver->plain;
    struct dns_flight *flight = malloc(sizeof(*flight));
    int error, id;

    if (!flight) {
        dns_answer_set(query, DNS_TEMPORARY, "out of memory", NULL);
        finish(resolver, query);
        return;
    }
    *flight = (struct dns_flight){.resolver = resolver, .query = query};
    list_init(&flight->links);
    list_append(&resolver->flights, &flight->links);
    resolver->n_in_flight++;
    query->private_.flight = flight;
    error = ub_resolve_event(context, query->name, query->type, 1, flight, on_answer, &id);
    if (error == 0)
        return;
    free_flight(flight);
    if (error == UB_SYNTAX)
        dns_answer_set(query, DNS_NO_NAME, "not a domain name", NULL);
    else
        dns_answer_set(query, DNS_TEMPORARY, "the resolver failed", ub_strerror(error));
    finish(resolver, query);
}

static void tell(struct dns_query *query)
{
    char *wire = TAKE(query->private_.wire);

    query->done(query); /* may free or ask the query again */
    free(wire);
}

static void on_turn(struct later *later)
{
    struct resolver *resolver = CONTAINER_OF(later, struct resolver, turn);
    struct list now, *links;

    /* Only what is here now: a question asked in done() is answered on a later turn. */
    list_init(&now);
    while ((links = list_take_first(&resolver->answered)) != NULL)
        list_append(&now, links);
    while ((links = list_take_first(&now)) != NULL)
        tell(CONTAINER_OF(links, struct dns_query, private_.links));
    while (!resolver->is_probing && resolver->n_in_flight < MOST_IN_FLIGHT &&
           (links = list_take_first(&resolver->waiting)) != NULL)
        start(resolver, CONTAINER_OF(links, struct dns_query, private_.links));
}

static bool is_askable(const char *name)
{
    return name[0] != '\0' && !strchr(name, '\\') && !strstr(name, "..");
}

void dns_ask(struct resolver *resolver, struct dns_query *query)
{
    dns_answer_reset(query);
    later_set(&resolver->turn);
    if (is_askable(query->name)) {
        list_append(&resolver->waiting, &query->private_.links);
        return;
    }
    dns_answer_set(query, DNS_NO_NAME, "not a domain name", NULL);
    query->ttl = DNS_NEGATIVE_TTL;
    finish(resolver, query);
}

void dns_cancel(struct dns_query *query)
{
    if (query->private_.links.next)
        list_remove(&query->private_.links);
    if (query->private_.flight)
        query->private_.flight->query = NULL;
    query->private_.flight = NULL;
    free(TAKE(query->private_.wire));
}

/* ---- does the forwarder hand on signatures? ---- */

static void go_on_unvalidated(struct resolver *resolver, const char *why)
{
    static atomic_flag is_told = ATOMIC_FLAG_INIT; /* once, not per loop */

    if (!atomic_flag_test_and_set(&is_told))
        EVENT(EVENT_DNS_UNVALIDATED, field_text("reason", why));
    resolver->is_probing = false;
    later_set(&resolver->turn);
    if (resolver->anchor_file[0])
        timer_set(&resolver->probe_timer, PROBE_AGAIN_MS);
}

static void on_probe_answer(struct dns_query *probe)
{
    struct resolver *resolver = CONTAINER_OF(probe, struct resolver, probe);

    timer_cancel(&resolver->probe_timer);
    if (probe->status != DNS_OK)
        go_on_unvalidated(resolver, probe->why);
    else if (!dns_message_has_signature(&probe->answer))
        go_on_unvalidated(resolver, "the name servers hand on no signatures");
    else if (make_context(resolver, true, &resolver->validating) < 0)
        go_on_unvalidated(resolver, "the trust anchor cannot be read");
    resolver->is_probing = false;
    later_set(&resolver->turn);
}

static void start_probe(struct resolver *resolver)
{
    resolver->probe.done = on_probe_answer;
    resolver->probe.type = DNS_TYPE_DNSKEY;
    dns_answer_reset(&resolver->probe);
    start(resolver, &resolver->probe);
    timer_set(&resolver->probe_timer, PROBE_MS);
}

static void on_probe_timer(struct timer *timer)
{
    struct resolver *resolver = CONTAINER_OF(timer, struct resolver, probe_timer);

    if (!resolver->probe.private_.flight) {
        start_probe(resolver); /* again, while questions go on */
        return;
    }
    dns_cancel(&resolver->probe);
    go_on_unvalidated(resolver, "the name servers did not answer in time");
}

bool resolver_validates(const struct resolver *resolver)
{
    return resolver->validating != NULL;
}

struct loop *resolver_loop(const struct resolver *resolver)
{
    return resolver->loop;
}

/* ---- life ---- */

/* "ADDR@PORT" lines. */
static char *spell_forwarders(const struct resolver_settings *settings)
{
    struct buffer text = BUFFER_INIT;

    for (size_t i = 0; i < settings->n_forwarders; i++) {
        char ip[IP_TEXT_SIZE];
        uint16_t port = socket_address_port(&settings->forwarders[i]);

        buffer_printf(&text, "%s@%u\n", ip_print(socket_address_ip(&settings->forwarders[i]), ip),
                      port ? port : 53);
    }
    buffer_append_byte(&text, '\0');
    if (buffer_error(&text) < 0) {
        buffer_fini(&text);
        return NULL;
    }
    return text.data;
}

static void prepare_probe(struct resolver *resolver, const char *anchor_file)
{
    const char *path = anchor_file ? anchor_file : TRUST_ANCHOR_DEFAULT;

    if (trust_anchor_zone(path, resolver->probe.name) &&
        slice_copy_to(slice_of(path), resolver->anchor_file, sizeof(resolver->anchor_file))) {
        resolver->is_probing = true;
        start_probe(resolver);
    } else {
        resolver->anchor_file[0] = '\0';
        go_on_unvalidated(resolver, "there is no trust anchor");
    }
}

int resolver_new(struct resolver **out, struct loop *loop, const struct resolver_settings *settings)
{
    struct resolver *resolver = calloc(1, sizeof(*resolver));
    int error;

    if (!resolver)
        return FAULT(-ENOMEM);
    resolver->loop = loop;
    resolver->settings = *settings;
    list_init(&resolver->waiting);
    list_init(&resolver->answered);
    list_init(&resolver->flights);
    later_init(&resolver->turn, loop, on_turn);
    timer_init(&resolver->probe_timer, loop, on_probe_timer);
    resolver->forwarders = spell_forwarders(settings);
    error = resolver->forwarders ? make_context(resolver, false, &resolver->plain) : FAULT(-ENOMEM);
    if (error < 0) {
        resolver_free(resolver);
        return error;
    }
    prepare_probe(resolver, settings->trust_anchor_file);
    *out = resolver;
    return 0;
}

static void drop_queries(struct list *queries)
{
    LIST_FOR_EACH(links, queries)
    dns_cancel(CONTAINER_OF(links, struct dns_query, private_.links));
}

struct resolver *resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return NULL;
    timer_fini(&resolver->probe_timer);
    if (resolver->validating)
        ub_ctx_delete(resolver->validating);
    if (resolver->plain)
        ub_ctx_delete(resolver->plain);
    drop_queries(&resolver->waiting);
    drop_queries(&resolver->answered);
    LIST_FOR_EACH(links, &resolver->flights)
    free_flight(CONTAINER_OF(links, struct dns_flight, links));
    later_cancel(&resolver->turn); /* only now: a question that is dropped may have set it again */
    free(resolver->forwarders);
    free(resolver);
    return NULL;
}
