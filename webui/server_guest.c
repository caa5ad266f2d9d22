#include "webui/server_guest.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "relay/base/clock.h"

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

static struct ip_address ip_of(const struct sockaddr *any)
{
    struct socket_address address = {0};

    if (!any || (any->sa_family != AF_INET && any->sa_family != AF_INET6))
        return (struct ip_address){0};
    address.len = any->sa_family == AF_INET ? sizeof(address.v4) : sizeof(address.v6);
    memcpy(&address.storage, any, address.len);
    return socket_address_ip(&address);
}

static struct ip_address peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    return ip_counted_as(ip_of(info ? info->client_addr : NULL));
}

static bool is_loopback(struct ip_address peer)
{
    static const uint8_t v6_loopback[16] = {[15] = 1};

    return peer.family == AF_INET ? peer.bytes[0] == 127
                                  : memcmp(peer.bytes, v6_loopback, sizeof(v6_loopback)) == 0;
}

bool guest_may_come(const struct webui *webui, struct ip_address peer)
{
    struct ip_address counted = ip_counted_as(peer);
    unsigned n = 0;

    if (is_loopback(peer))
        return true;
    LIST_FOR_EACH(links, &webui->guests)
    {
        n += ip_equal(CONTAINER_OF(links, struct guest, links)->peer, counted);
    }
    return n < GUEST_MOST_OF_ONE;
}

enum MHD_Result guest_judge_peer(void *cls, const struct sockaddr *address, socklen_t len)
{
    (void)len;
    return guest_may_come(cls, ip_of(address)) ? MHD_YES : MHD_NO;
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
                                .deadline_ms = clock_monotonic_ms() + GUEST_RECEIVE_MS,
                                .peer = peer_of(connection)};
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
