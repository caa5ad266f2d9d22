/* `queue rebuild`: with the service stopped, makes queue.db anew from the segments. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "relay/base/secret.h"
#include "relay/cli/call.h"
#include "relay/cli/nouns.h"
#include "relay/control/config.h"
#include "relay/net/privileges.h"
#include "relay/spool/spool.h"

int queue_rebuild(struct options *options)
{
    const char *path = option(options, "config");
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;
    struct spool_settings spool_settings = {0};
    struct rebuild_result result = {0};
    enum privileges_result privileges;
    struct settings *settings;
    int error;

    if (config_load(&settings, path ? path : "/etc/staffetta/staffetta.conf", &text, &problem) <
        0) {
        fprintf(stderr, "%.*s", (int)problem.len, problem.data ? problem.data : "");
        return EX_CONFIG;
    }
    spool_settings.dir = settings->spool_dir;
    spool_settings.segment_bytes = (uint64_t)settings->spool.segment_size;
    /* What root made the service could not open. */
    error = privileges_become(settings->user, &privileges);
    if (error == 0)
        error = secret_start();
    if (error == 0)
        error = spool_rebuild(&spool_settings, &result);
    settings_unref(settings);
    if (error < 0) {
        fprintf(stderr, "staffetta: %s\n",
                error == -EBUSY ? "the service is running; stop it first" : strerror(-error));
        return error == -EBUSY ? EX_TEMPFAIL : EX_SOFTWARE;
    }
    print_line(options->wants_json ? "{\"messages\":%llu,\"recipients\":%llu,\"damaged\":%llu}"
                                   : "%llu messages, %llu recipients, %llu damaged records",
               (unsigned long long)result.n_messages, (unsigned long long)result.n_recipients,
               (unsigned long long)result.n_damaged);
    return EX_OK;
}
