#include "relay/bundle.h"

#include <errno.h>

#include "policy/receiver_files.h"
#include "relay/base/secret.h"
#include "relay/control/config.h"
#include "relay/net/memory_file.h"
#include "relay/net/supervisor.h"

enum { FD_TEXT, FD_PEMS, FD_RECEIVERS, FD_FIRST_LISTENER, MAX_FILE_BYTES = 4 * 1024 * 1024 };

void bundle_fini(struct bundle *bundle)
{
    for (size_t i = 0; i < bundle->n_listeners; i++)
        close_fd_cleanup(&bundle->listeners[i].fd);
    if (bundle->pems.data)
        secret_wipe(bundle->pems.data, bundle->pems.capacity);
    if (bundle->text.data)
        secret_wipe(bundle->text.data, bundle->text.capacity);
    buffer_fini(&bundle->pems);
    buffer_fini(&bundle->text);
    buffer_fini(&bundle->receivers);
    receiver_book_unref(bundle->book);
    settings_unref(bundle->settings);
    arena_reset(&bundle->arena);
    *bundle = (struct bundle){0};
}

static int add_file(struct channel_message *message, const char *name, struct slice bytes)
{
    int error = memory_file_new(&message->fds[message->n_fds], name, bytes);

    if (error == 0)
        message->n_fds++;
    return error;
}

static int add_pems(const struct bundle *bundle, struct channel_message *message)
{
    struct buffer pems = BUFFER_INIT;
    int error;

    for (size_t i = 0; i < bundle->n_identities; i++) {
        buffer_append_counted(&pems, slice_of(bundle->identities[i].name));
        buffer_append_counted(&pems, bundle->identities[i].certificate_pem);
        buffer_append_counted(&pems, bundle->identities[i].key_pem);
    }
    error = buffer_error(&pems);
    if (error == 0)
        error = add_file(message, "identities", buffer_slice(&pems));
    if (pems.data)
        secret_wipe(pems.data, pems.capacity);
    buffer_fini(&pems);
    return error;
}

static int add_listener(struct channel_message *message, const struct bundle_listener *listener)
{
    buffer_append_counted(&message->bytes, slice_of(listener->name));
    buffer_append_counted(&message->bytes, slice_of(listener->address));
    return supervisor_add_fd(message, listener->fd);
}

int bundle_write(const struct bundle *bundle, struct channel_message *message)
{
    int error = add_file(message, "settings", buffer_slice(&bundle->text));

    if (error == 0)
        error = add_pems(bundle, message);
    if (error == 0)
        error = add_file(message, "receivers", buffer_slice(&bundle->receivers));
    buffer_append_u8(&message->bytes, bundle->was_root);
    buffer_append_counted(&message->bytes, slice_of(bundle->path));
    buffer_append_u32(&message->bytes, (uint32_t)bundle->n_identities);
    buffer_append_u32(&message->bytes, (uint32_t)bundle->n_listeners);
    for (size_t i = 0; error == 0 && i < bundle->n_listeners; i++)
        error = add_listener(message, &bundle->listeners[i]);
    return error < 0 ? error : buffer_error(&message->bytes);
}

static const char *read_text(struct bundle *bundle, struct reader *reader)
{
    const char *text = arena_copy(&bundle->arena, reader_counted(reader)).data;

    return text ? text : "";
}

static int read_identities(struct bundle *bundle, size_t n)
{
    struct reader reader = {.rest = buffer_slice(&bundle->pems)};

    bundle->identities = arena_alloc(&bundle->arena, (n + 1) * sizeof(*bundle->identities));
    if (!bundle->identities)
        return FAULT(-ENOMEM);
    for (size_t i = 0; i < n; i++) {
        struct bundle_identity *identity = &bundle->identities[i];

        identity->name = read_text(bundle, &reader);
        identity->certificate_pem = reader_counted(&reader);
        identity->key_pem = reader_counted(&reader);
    }
    bundle->n_identities = n;
    return reader.failed ? FAULT(-EBADMSG) : 0;
}

static int read_listeners(struct bundle *bundle, struct channel_message *message,
                          struct reader *reader, size_t n)
{
    if (message->n_fds != n + FD_FIRST_LISTENER)
        return FAULT(-EBADMSG);
    bundle->listeners = arena_alloc(&bundle->arena, (n + 1) * sizeof(*bundle->listeners));
    if (!bundle->listeners)
        return FAULT(-ENOMEM);
    for (size_t i = 0; i < n; i++) {
        bundle->listeners[i].name = read_text(bundle, reader);
        bundle->listeners[i].address = read_text(bundle, reader);
        bundle->listeners[i].wanted = bundle->listeners[i].address;
        bundle->listeners[i].fd = channel_take_fd(message, i + FD_FIRST_LISTENER);
        bundle->n_listeners++;
    }
    return reader->failed ? FAULT(-EBADMSG) : 0;
}

static int read_files(struct bundle *bundle, const struct channel_message *message)
{
    int error;

    if (message->n_fds < FD_FIRST_LISTENER)
        return FAULT(-EBADMSG);
    error = memory_file_read(message->fds[FD_TEXT], MAX_FILE_BYTES, &bundle->text);
    if (error == 0)
        error = memory_file_read(message->fds[FD_PEMS], MAX_FILE_BYTES, &bundle->pems);
    if (error == 0)
        error = memory_file_read(message->fds[FD_RECEIVERS], MAX_FILE_BYTES, &bundle->receivers);
    secret_hide(bundle->text.data, bundle->text.capacity); /* passwords of smart hosts */
    secret_hide(bundle->pems.data, bundle->pems.capacity);
    return error;
}

int bundle_read_receivers(struct bundle *bundle, struct buffer *problem)
{
    const struct settings_policy *policy = &bundle->settings->policy;
    const char *const paths[N_RECEIVER_FILES] = {
        [RECEIVER_PROVIDERS] = policy->providers,
        [RECEIVER_RULES] = policy->reply_rules,
        [RECEIVER_CLASSES] = policy->bounce_classes,
    };

    return receiver_files_read(paths, &bundle->receivers, problem);
}

int bundle_make_book(struct bundle *bundle, struct buffer *problem)
{
    struct data_file files[N_RECEIVER_FILES];

    if (!receiver_files_take(buffer_slice(&bundle->receivers), files))
        return FAULT(-EBADMSG);
    return receiver_book_new(&bundle->book, files, problem);
}

int bundle_read(struct bundle *bundle, struct channel_message *message)
{
    struct reader reader = {.rest = buffer_slice(&message->bytes)};
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;
    size_t n_identities, n_listeners;
    int error;

    *bundle = (struct bundle){0};
    error = read_files(bundle, message);
    bundle->was_root = reader_u8(&reader) != 0;
    bundle->path = read_text(bundle, &reader);
    n_identities = reader_u32(&reader);
    n_listeners = reader_u32(&reader);
    if (error == 0 && (reader.failed || n_identities > CHANNEL_MAX_FDS))
        error = FAULT(-EBADMSG);
    if (error == 0)
        error = read_identities(bundle, n_identities);
    if (error == 0)
        error = read_listeners(bundle, message, &reader, n_listeners);
    if (error == 0)
        error =
            config_parse(&bundle->settings, bundle->path, buffer_slice(&bundle->text), &problem);
    if (error < 0)
        bundle_fini(bundle);
    return error;
}
