#include "relay/net/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* What goes before the bytes of every message. */
struct channel_header {
    uint32_t magic;
    uint32_t kind;
    uint32_t n_bytes;
    uint32_t n_fds;
};

enum { CHANNEL_MAGIC = 0x53544131 }; /* "STA1" */

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(CHANNEL_MAX_FDS * sizeof(int))];
};

int channel_pair(int fds[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0 ? FAULT(-errno) : 0;
}

static void attach_fds(struct msghdr *message, union control *control, const int *fds, size_t n)
{
    struct cmsghdr *header;

    if (n == 0)
        return;
    message->msg_control = control;
    message->msg_controllen = CMSG_SPACE(n * sizeof(int));
    header = CMSG_FIRSTHDR(message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(header), fds, n * sizeof(int));
}

int channel_send(int fd, unsigned kind, struct slice bytes, const int *fds, size_t n_fds)
{
    struct channel_header header = {CHANNEL_MAGIC, kind, (uint32_t)bytes.len, (uint32_t)n_fds};
    struct iovec pieces[] = {
        {&header,            sizeof(header)},
        {(char *)bytes.data, bytes.len     }
    };
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    union control control = {0};
    ssize_t n;

    if (bytes.len > CHANNEL_MAX_BYTES || n_fds > CHANNEL_MAX_FDS)
        return FAULT(-EMSGSIZE);
    attach_fds(&message, &control, fds, n_fds);
    do
        n = sendmsg(fd, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? -EAGAIN : FAULT(-errno);
    return 0;
}

/* Keeps every descriptor that came, so that a refused message leaks none. */
static bool collect_fds(struct msghdr *received, struct channel_message *message)
{
    for (struct cmsghdr *header = CMSG_FIRSTHDR(received); header;
         header = CMSG_NXTHDR(received, header)) {
        size_t n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
            n > CHANNEL_MAX_FDS - message->n_fds)
            return false;
        memcpy(message->fds + message->n_fds, CMSG_DATA(header), n * sizeof(int));
        message->n_fds += n;
    }
    return true;
}

static bool is_whole(const struct msghdr *received, const struct channel_header *header, size_t n,
                     const struct channel_message *message)
{
    return !(received->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) && n >= sizeof(*header) &&
           header->magic == CHANNEL_MAGIC && header->kind != 0 &&
           header->n_bytes == n - sizeof(*header) && header->n_fds == message->n_fds;
}

static ssize_t receive_packet(int fd, struct msghdr *received)
{
    ssize_t n;

    do
        n = recvmsg(fd, received, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int channel_receive(int fd, struct channel_message *message)
{
    CLEANUP(free) char *bytes = malloc(CHANNEL_MAX_BYTES);
    struct channel_header header = {0};
    struct iovec pieces[] = {
        {&header, sizeof(header)   },
        {bytes,   CHANNEL_MAX_BYTES}
    };
    union control control;
    struct msghdr received = {.msg_iov = pieces,
                              .msg_iovlen = 2,
                              .msg_control = &control,
                              .msg_controllen = sizeof(control)};
    ssize_t n;
    bool is_good;

    if (!bytes)
        return FAULT(-ENOMEM);
    channel_message_fini(message);
    n = receive_packet(fd, &received);
    if (n == -ECONNRESET)
        return 0; /* the other side ended with our messages unread */
    if (n <= 0)
        return (int)n;
    is_good = collect_fds(&received, message) && is_whole(&received, &header, (size_t)n, message);
    buffer_append(&message->bytes, slice_from(bytes, is_good ? header.n_bytes : 0));
    if (is_good && buffer_error(&message->bytes) == 0) {
        message->kind = header.kind;
        return 1;
    }
    channel_message_fini(message);
    return is_good ? FAULT(-ENOMEM) : FAULT(-EBADMSG);
}

void channel_message_fini(struct channel_message *message)
{
    for (size_t i = 0; i < message->n_fds; i++)
        if (message->fds[i] >= 0)
            close(message->fds[i]);
    message->n_fds = 0;
    message->kind = 0;
    buffer_fini(&message->bytes);
}

int channel_take_fd(struct channel_message *message, size_t index)
{
    return index < message->n_fds ? take_fd(&message->fds[index]) : -1;
}
