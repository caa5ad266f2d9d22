#include "relay/service_confine.h"

#include <stdio.h>

#include "relay/base/event.h"
#include "relay/folders.h"
#include "relay/net/private_memory.h"
#include "relay/net/sandbox.h"

enum { FILES_BESIDE_SESSIONS = 500 }; /* databases, segments, listeners, channels, DNS */

static void note(struct service *service, const char *sentence)
{
    for (size_t i = 0; i + 1 < sizeof(service->notes) / sizeof(service->notes[0]); i++)
        if (!service->notes[i]) {
            service->notes[i] = sentence;
            return;
        }
}

/* "": not set, and passed over; NULL would end the list. */
static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value ? value : "";
}

/* The keys lie in data_dir/keys; data_dir itself is therefore never granted. */
static int enter_sandbox(struct service *service, struct sandbox_got *got)
{
    const struct settings *settings = service->bundle.settings;
    const struct connect_ports *granted = &service->granted_ports;
    char database[4096], history[4096];
    struct sandbox sandbox = {
        .process = "relay",
        .user = settings->user,
        .role = SYSTEM_CALLS_RELAY,
        .reads_system = true,
        .confinement =
            {
                          .writable = {database, history, settings->spool_dir, settings->run_dir},
                          .readable = {settings->resolver.trust_anchor, settings->panel.preseed,
                             environment("SSL_CERT_FILE"), environment("SSL_CERT_DIR")},
                          .has_network = true,
                          .is_restricted = granted->is_restricted,
                          .connect_ports = granted->ports,
                          .n_connect_ports = granted->n_ports,
                          },
    };

    snprintf(database, sizeof(database), "%s/db", settings->data_dir);
    snprintf(history, sizeof(history), "%s/history", settings->data_dir);
    return sandbox_enter(&sandbox, got);
}

static void note_lacks(struct service *service, const struct sandbox_got *got)
{
    const char *sentence;
    unsigned place = 0;

    if (sandbox_lacks_user(got))
        note(service, got->paths.has_files
                          ? "the relay has no user of its own: Landlock keeps it from the signer's "
                            "keys"
                          : "the relay has no user of its own and the kernel no Landlock: nothing "
                            "keeps it from the signer's keys");
    while ((sentence = sandbox_lack(got, &place)))
        note(service, sentence);
    if (service->granted_ports.is_restricted && !got->paths.has_ports)
        note(service, "connect_ports of the sandbox have no effect on this kernel");
}

/* Asked while this process may still be root. */
static bool signer_has_user(void)
{
    struct user_ids ids;

    return geteuid() == 0 && privileges_find_user(SIGNER_USER, &ids) == 0;
}

static void look_at_file_limit(struct service *service)
{
    const struct settings *settings = service->bundle.settings;
    int64_t wanted =
        settings->limits.connections + settings->delivery.connections + FILES_BESIDE_SESSIONS;
    int64_t files = (int64_t)privileges_raise_file_limit((unsigned long)wanted);

    if (files >= wanted)
        return;
    note(service, "fewer files may be open than the settings allow sessions and connections");
    EVENT(EVENT_FILE_LIMIT, field_text("process", "relay"), field_number("files", files),
          field_number("wanted", wanted));
}

static void look_at_swap(struct service *service)
{
    static const char sentence[] = "private keys may be written to swap space: RLIMIT_MEMLOCK "
                                   "(LimitMEMLOCK=) is below 64 MiB";

    if (!private_memory_may_be_swapped())
        return;
    note(service, sentence);
    EVENT(EVENT_NOT_CONFINED, field_text("process", "signer"), field_text("reason", sentence));
}

int service_confine(struct service *service)
{
    bool was_root = geteuid() == 0, has_signer_user = signer_has_user();
    struct sandbox_got got;
    int error;

    look_at_file_limit(service);
    look_at_swap(service);
    connect_ports_of(service->bundle.settings, &service->granted_ports);
    error = enter_sandbox(service, &got);
    if (error < 0)
        return error;
    if (!has_signer_user && (was_root || !got.paths.has_files))
        note(service, "the signer has no user of its own: it runs as the caller");
    note_lacks(service, &got);
    return 0;
}

bool service_is_granted(const struct service *service, const struct settings *settings,
                        const char **why)
{
    static char text[CONNECT_PORTS_WHY_SIZE + 32]; /* the service's thread only */
    char lack[CONNECT_PORTS_WHY_SIZE];

    if (connect_ports_suffice(&service->granted_ports, settings, lack))
        return true;
    snprintf(text, sizeof(text), "restart needed: %s as it started", lack);
    *why = text;
    EVENT(EVENT_RESTART_NEEDED, field_text("setting", "connect_ports"));
    return false;
}
