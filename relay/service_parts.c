#include "relay/service_parts.h"

#include <errno.h>
#include <stdio.h>

#include "policy/quotas.h"
#include "policy/registry.h"
#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "relay/base/log.h"
#include "relay/delivery/notice_desk.h"
#include "relay/service_certificate.h"
#include "relay/service_settings.h"
#include "relay/spool/queue_id.h"

enum {
    LOOP_MAILBOX = 65536,
    SERVICE_MAILBOX = 64,
    CLOCK_MOST_PASSED_MS = 86400000, /* since the last commit; design, section 6 */
    CLOCK_MOST_BACK_MS = 60000,
};

/* ---- what the spool tells ---- */

static void on_committed(void *owner, struct stored *stored, const struct envelope *envelope)
{
    struct service *service = owner;
    char id[QUEUE_ID_SIZE];

    queue_id_format(stored->id, id);
    EVENT(EVENT_QUEUED, field_text("msg", id), field_slice("user", envelope->user),
          field_slice("from", envelope->sender.data ? envelope->sender : slice_of("")),
          field_number("size", (int64_t)stored_size(stored)),
          field_number("nrcpt", envelope->n_recipients), field_slice("client", envelope->client),
          field_slice("campaign", envelope->campaign));
    delivery_admit(service->delivery, stored, envelope);
}

static void on_written(void *owner, struct stored *stored, const struct envelope *envelope)
{
    delivery_foresee(((struct service *)owner)->delivery, stored, envelope);
}

static void on_recovered(void *owner, struct stored *stored, const struct recipient_row *rows,
                         uint32_t n_rows)
{
    struct service *service = owner;

    delivery_recover(service->delivery, stored, rows, n_rows);
}

static void on_recovery_undone(void *owner)
{
    delivery_forget_recovered(((struct service *)owner)->delivery);
}

static void on_failures(void *owner, const struct failures_waiting *waiting)
{
    struct service *service = owner;

    delivery_recover_failures(service->delivery, waiting);
}

static bool opens_at_once(void *owner, const struct envelope *envelope)
{
    return delivery_opens_at_once(((struct service *)owner)->delivery, envelope);
}

static void settle_doubt(void *owner, const struct stored *stored, struct recipient_row *row)
{
    delivery_settle_doubt(((struct service *)owner)->delivery, stored, row);
}

/* ---- start, bottom up ---- */

static int make_loops(struct service *service)
{
    long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n_wanted = n_cores < 1                   ? 1
                        : n_cores > SERVICE_MAX_LOOPS ? SERVICE_MAX_LOOPS
                                                      : (unsigned)n_cores;
    int error = 0;

    while (error == 0 && service->n_loops < n_wanted) {
        error = loop_new(&service->loops[service->n_loops], service->n_loops, LOOP_MAILBOX);
        if (error == 0)
            service->n_loops++;
    }
    return error;
}

static int start_policy(struct service *service)
{
    const struct settings *settings = service->bundle.settings;
    struct policy_settings policy_settings;
    char folder[4096];
    int error;

    snprintf(folder, sizeof(folder), "%s/db", settings->data_dir);
    error = registry_open(&service->registry, folder);
    if (error < 0)
        return error;
    service_policy_settings(settings, &policy_settings);
    return policy_start(&service->policy, &policy_settings, service->registry);
}

static void on_notice(void *owner, const struct quota_notice *notice)
{
    delivery_notice(((struct service *)owner)->delivery, notice);
}

static int start_delivery(struct service *service)
{
    struct delivery_parts parts = {
        .loops = service->loops,
        .n_loops = service->n_loops,
        .policy = service->policy,
        .on_signer = signer_watch_note,
        .owner = &service->signer_watch,
    };
    struct delivery_settings settings;
    int error =
        service_resolver_settings(service->bundle.settings, &service->arena, &parts.resolver);

    if (error == 0)
        error = service_delivery_settings(&service->bundle, service->hostname, &service->arena,
                                          &settings);
    if (error == 0)
        error = delivery_start(&service->delivery, &parts, &settings);
    if (error == 0)
        quotas_on_notice(service->policy, on_notice, service);
    return error;
}

/* A clock that was set wrong while we were stopped.  What was recovered gets one more attempt
 * before it may expire, whatever the clock says. */
static void look_at_clock(const struct service *service)
{
    int64_t last_ms = spool_last_commit_utc_ms(service->spool);
    int64_t passed_ms = clock_utc_ms() - last_ms;

    if (last_ms && (passed_ms > CLOCK_MOST_PASSED_MS || passed_ms < -CLOCK_MOST_BACK_MS))
        EVENT(EVENT_CLOCK_JUMPED, field_seconds("by", passed_ms));
}

static int start_spool(struct service *service)
{
    struct mailbox *mailboxes[SERVICE_MAX_LOOPS];
    struct spool_settings settings;
    int error;

    service_spool_settings(service->bundle.settings, &settings);
    for (unsigned i = 0; i < service->n_loops; i++)
        mailboxes[i] = loop_mailbox(service->loops[i]);
    settings.sources = mailboxes;
    settings.n_sources = service->n_loops;
    settings.callbacks = (struct spool_callbacks){.owner = service,
                                                  .on_written = on_written,
                                                  .on_committed = on_committed,
                                                  .on_recovered = on_recovered,
                                                  .on_recovery_undone = on_recovery_undone,
                                                  .on_failures = on_failures,
                                                  .opens_at_once = opens_at_once,
                                                  .settle_doubt = settle_doubt};
    error = spool_start(&service->spool, &settings);
    if (error < 0)
        return error;
    look_at_clock(service);
    delivery_use_spool(service->delivery, service->spool);
    delivery_recovered(service->delivery);
    return 0;
}

static int start_intake(struct service *service)
{
    const struct intake_parts parts = {service->loops, service->n_loops, service->policy,
                                       service->spool};
    int error = intake_new(&service->intake, &parts);

    if (error == 0)
        error = tls_tickets_new(&service->tickets);
    return error;
}

static int start_registry(struct service *service)
{
    int error = webui_new(&service->webui, service->registry);

    if (error < 0)
        return error;
    key_desk_subscribe(service->key_desk);
    delivery_subscribe(service->delivery, service->registry);
    intake_subscribe(service->intake, service->registry);
    return registry_start(service->registry);
}

static int start_key_desk(struct service *service)
{
    struct key_desk_parts parts = {.loop = service->loops[0],
                                   .registry = service->registry,
                                   .workers = policy_workers(service->policy),
                                   .on_signer = signer_watch_note,
                                   .owner = &service->signer_watch};
    int error =
        service_resolver_settings(service->bundle.settings, &service->start_arena, &parts.resolver);

    return error < 0 ? error : key_desk_new(&service->key_desk, &parts);
}

int service_start_parts(struct service *service)
{
    static int (*const steps[])(struct service *) = {
        make_loops,   start_policy,   start_delivery, start_spool,
        start_intake, start_key_desk, start_registry,
    };
    int error = mailbox_new(&service->mailbox, SERVICE_MAILBOX);

    service->hostname = service_hostname(service->bundle.settings, &service->arena);
    for (size_t i = 0; error == 0 && i < sizeof(steps) / sizeof(steps[0]); i++)
        error = steps[i](service);
    return error;
}

/* The loops have stopped.  The threads they asked end first, each answering what still waits; then
 * goes what those requests are embedded in. */
void service_stop_parts(struct service *service)
{
    service->policy = policy_stop(service->policy);
    service->registry = registry_stop(service->registry);
    service->key_desk = key_desk_free(service->key_desk);
    service->webui = webui_free(service->webui);
    service->spool = spool_stop(service->spool);
    service->intake = intake_free(service->intake);
    service->delivery = delivery_free(service->delivery);
    for (unsigned i = 0; i < service->n_loops; i++)
        service->loops[i] = loop_free(service->loops[i]);
    service->tickets = tls_tickets_unref(service->tickets);
    tls_pem_fini(&service->self_signed);
    service->mailbox = mailbox_free(service->mailbox);
    arena_reset(&service->arena);
    arena_reset(&service->start_arena);
}

/* ---- settings ---- */

static int make_self_signed(struct service *service)
{
    char folder[4096];
    int error = 0;

    snprintf(folder, sizeof(folder), "%s/db", service->bundle.settings->data_dir);
    if (!service->self_signed.certificate) {
        error = service_self_signed(folder, service->hostname, &service->self_signed);
        if (error == 0)
            EVENT(EVENT_SELF_SIGNED, field_text("host", service->hostname));
    }
    return error;
}

static void tell_certificates(const struct bundle *bundle)
{
    for (size_t i = 0; i < bundle->n_identities; i++) {
        char expires[CLOCK_DATE_SIZE] = "unknown";
        int64_t utc_ms;

        if (tls_certificate_expiry(bundle->identities[i].certificate_pem, &utc_ms) == 0)
            clock_format_timestamp(utc_ms, expires);
        EVENT(EVENT_CERTIFICATE_LOADED, field_text("name", bundle->identities[i].name),
              field_text("expires", expires));
    }
}

static int make_tls(struct service *service, const struct bundle *bundle, struct tls_context **out,
                    char why[TLS_WHY_SIZE])
{
    struct tls_identity identities[CHANNEL_MAX_FDS];
    size_t n = 0;
    int error;

    for (; n < bundle->n_identities && n < CHANNEL_MAX_FDS; n++)
        identities[n] =
            (struct tls_identity){bundle->identities[n].name, bundle->identities[n].certificate_pem,
                                  bundle->identities[n].key_pem};
    if (n == 0) {
        error = make_self_signed(service);
        if (error < 0)
            return error;
        identities[n++] =
            (struct tls_identity){"default", slice_of(service->self_signed.certificate),
                                  slice_of(service->self_signed.key)};
    }
    error = tls_server_context_new(out, identities, n, service->tickets, why);
    if (error < 0)
        EVENT(EVENT_CERTIFICATE_FAILED, field_text("reason", why));
    else
        tell_certificates(bundle);
    return error;
}

static void on_intake_applied(struct intake_applied *applied)
{
    CONTAINER_OF(applied, struct service, intake_applied)->is_intake_applied = true;
}

static int apply_intake(struct service *service, const struct bundle *bundle, const char *hostname,
                        struct arena *arena, struct tls_context *tls)
{
    struct intake_settings settings;
    struct intake_listener *listeners;
    size_t n_listeners;
    int error = service_listeners(bundle, arena, &listeners, &n_listeners);

    service_intake_settings(bundle->settings, hostname, &settings);
    service->is_intake_applied = false;
    service->intake_applied =
        (struct intake_applied){.answer_to = service->mailbox, .done = on_intake_applied};
    if (error == 0)
        error = intake_apply(service->intake, &settings, tls, listeners, n_listeners,
                             &service->intake_applied);
    if (error == 0)
        atomic_store(&service->n_doors_wanted, (unsigned)n_listeners * service->n_loops);
    return error;
}

static int apply_to_modules(struct service *service, const struct bundle *bundle,
                            const char *hostname, struct arena *arena, const char **why)
{
    static char tls_why[TLS_WHY_SIZE]; /* the service's thread only */
    struct policy_settings policy_settings;
    struct delivery_settings delivery_settings;
    struct tls_context *tls = NULL;
    int error = make_tls(service, bundle, &tls, tls_why);

    if (error < 0) {
        *why = tls_why;
        return error;
    }
    service_policy_settings(bundle->settings, &policy_settings);
    error = service_delivery_settings(bundle, hostname, arena, &delivery_settings);
    if (error == 0)
        error = policy_reload(service->policy, &policy_settings);
    if (error == 0)
        error = delivery_reload(service->delivery, &delivery_settings);
    if (error == 0)
        error = apply_intake(service, bundle, hostname, arena, tls);
    tls_context_unref(tls);
    return error;
}

int service_apply(struct service *service, struct bundle *fresh, const char **why)
{
    const struct bundle *bundle = fresh ? fresh : &service->bundle;
    struct arena arena = {0};
    const char *hostname = service_hostname(bundle->settings, &arena);
    int error = apply_to_modules(service, bundle, hostname, &arena, why);

    if (error < 0) {
        arena_reset(&arena);
        return error;
    }
    log_set(bundle->settings->log.format, bundle->settings->log.level);
    spool_set_min_free(service->spool, service_min_free(bundle->settings));
    arena_reset(&service->arena);
    service->arena = arena;
    service->hostname = hostname;
    if (fresh) {
        bundle_fini(&service->bundle);
        service->bundle = *fresh;
        service_apply_webui(service);
    }
    return 0;
}
