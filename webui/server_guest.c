#include "webui/server_guest.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "relay/base/clock.h"

struct guest {
    struct list links;
    int fd; /* the library's */
    int64_t deadline_ms;
};

static struct guest *guest_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

void guest_expect(struct MHD_Connection *connection, int64_t within_ms)
{
    struct guest *guest = guest_of(connection);

    if (guest)
        guest->deadline_ms = within_ms < 0 ? INT64_MAX : clock_monotonic_ms() + within_ms;
}

int guest_fd(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    return info ? info->connect_fd : -1;
}

void guest_on_connection(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_ConnectionNotificationCode code)
{
    struct webui *webui = cls;
    struct guest *guest = *context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        guest = malloc(sizeof(*guest));
        if (!guest)
            return; /* then silence alone ends it */
        *guest = (struct guest){.fd = guest_fd(connection),
                                .deadline_ms = clock_monotonic_ms() + GUEST_RECEIVE_MS};
        list_append(&webui->guests, &guest->links);
        *context = guest;
    } else if (guest) {
        list_remove(&guest->links);
        free(guest);
        *context = NULL;
    }
}

bool guest_sweep(struct webui *webui)
{
    int64_t now_ms = clock_monotonic_ms();

    if (now_ms - webui->swept_ms < GUEST_SWEEP_MS)
        return false;
    webui->swept_ms = now_ms;
    LIST_FOR_EACH(links, &webui->guests)
    {
        struct guest *guest = CONTAINER_OF(links, struct guest, links);

        if (guest->deadline_ms <= now_ms)
            shutdown(guest->fd, SHUT_RDWR); /* the library sees the end and cleans up */
    }
    return true;
}
