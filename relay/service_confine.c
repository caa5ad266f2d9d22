#include "relay/service_confine.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "relay/base/event.h"
#include "relay/folders.h"
#include "relay/net/confinement.h"
#include "relay/net/privileges.h"

enum { FILES_BESIDE_SESSIONS = 500 }; /* databases, segments, listeners, channels, DNS */

static void note(struct service *service, const char *sentence)
{
    for (size_t i = 0; i + 1 < sizeof(service->notes) / sizeof(service->notes[0]); i++)
        if (!service->notes[i]) {
            service->notes[i] = sentence;
            return;
        }
}

static const char *reason_of(enum privileges_result result)
{
    static const char *const reasons[] = {
        [PRIVILEGES_DROPPED] = NULL,
        [PRIVILEGES_KEPT_AS_ASKED] = "the settings name the user that started it",
        [PRIVILEGES_NOT_ROOT] = "not started as root",
        [PRIVILEGES_NO_SUCH_USER] = "no such user",
    };

    return reasons[result];
}

/* The keys lie in data_dir/keys; data_dir itself is therefore never granted. */
static int enter_confinement(const struct settings *settings)
{
    char database[4096], history[4096];
    const char *authorities = getenv("SSL_CERT_FILE");
    const struct confinement confinement = {
        .writable = {database,           history, settings->spool_dir, settings->run_dir},
        .readable = {settings->resolver.trust_anchor, authorities       },
    };

    snprintf(database, sizeof(database), "%s/db", settings->data_dir);
    snprintf(history, sizeof(history), "%s/history", settings->data_dir);
    return confinement_enter(&confinement);
}

/* Not by users: by Landlock. */
static int stay_as_caller(struct service *service, const char *reason)
{
    int error = enter_confinement(service->bundle.settings);

    if (error < 0)
        return error;
    EVENT(EVENT_NOT_CONFINED, field_text("process", "relay"),
          field_text("user", service->bundle.settings->user), field_text("reason", reason),
          field_text("landlock", error == 0 ? "yes" : "missing"));
    note(service,
         error == 0
             ? "the relay has no user of its own: Landlock keeps it from the signer's keys"
             : "the relay has no user of its own and the kernel no Landlock: nothing keeps it "
               "from the signer's keys");
    return 0;
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

int service_confine(struct service *service)
{
    bool has_signer_user = signer_has_user();
    enum privileges_result result;
    int error;

    look_at_file_limit(service);
    error = privileges_become(service->bundle.settings->user, &result);
    if (error < 0)
        return error;
    if (!has_signer_user)
        note(service, "the signer has no user of its own: it runs as the caller");
    return result == PRIVILEGES_DROPPED ? 0 : stay_as_caller(service, reason_of(result));
}
