#include "signer/connection.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

enum { SEND_PATIENCE_MS = 1000 };

struct shared_file *shared_file_new(int fd)
{
    struct shared_file *file = malloc(sizeof(*file));

    if (!file) {
        close(fd);
        return NULL;
    }
    file->fd = fd;
    atomic_init(&file->n_refs, 1);
    return file;
}

struct shared_file *shared_file_ref(struct shared_file *file)
{
    atomic_fetch_add(&file->n_refs, 1);
    return file;
}

struct shared_file *shared_file_unref(struct shared_file *file)
{
    if (!file || atomic_fetch_sub(&file->n_refs, 1) != 1)
        return NULL;
    close(file->fd);
    free(file);
    return NULL;
}

struct signer_connection *signer_connection_new(int fd)
{
    struct signer_connection *connection = calloc(1, sizeof(*connection));

    if (!connection) {
        close(fd);
        return NULL;
    }
    connection->fd = fd;
    atomic_init(&connection->n_refs, 1);
    return connection;
}

struct signer_connection *signer_connection_ref(struct signer_connection *connection)
{
    atomic_fetch_add(&connection->n_refs, 1);
    return connection;
}

struct signer_connection *signer_connection_unref(struct signer_connection *connection)
{
    if (!connection || atomic_fetch_sub(&connection->n_refs, 1) != 1)
        return NULL;
    for (unsigned i = 0; i < SIGNER_FILE_SLOTS; i++)
        shared_file_unref(connection->slots[i]);
    close(connection->fd);
    free(connection);
    return NULL;
}

void signer_connection_send(struct signer_connection *connection, struct slice records)
{
    struct pollfd room = {.fd = connection->fd, .events = POLLOUT};
    int error = channel_send(connection->fd, SIGNER_REPLIES, records, NULL, 0);

    if (error == -EAGAIN && poll(&room, 1, SEND_PATIENCE_MS) == 1)
        error = channel_send(connection->fd, SIGNER_REPLIES, records, NULL, 0);
    if (error)
        shutdown(connection->fd, SHUT_RDWR);
}
