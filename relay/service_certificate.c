#include "relay/service_certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "relay/base/clock.h"
#include "relay/base/file.h"
#include "relay/base/secret.h"

enum { MAX_BYTES = 64 * 1024, PATH_SIZE = 4096, DAY_MS = 86400 * 1000, LEAST_DAYS = 30 };

static const struct slice key_begins = SLICE_LITERAL("-----BEGIN PRIVATE KEY-----");
#define FIRST_LINE "host "

/* "host NAME", the certificate, the key: the two PEM texts, which look into text; false when it is
 * no such file, of another host, or about to end. */
static bool take_apart(struct slice text, const char *host, struct slice *certificate,
                       struct slice *key)
{
    ptrdiff_t line = slice_find(text, '\n'), begin = slice_search(text, key_begins);
    int64_t ends_ms;

    if (line < 0 || begin < line || !slice_starts_with(text, SLICE_LITERAL(FIRST_LINE)) ||
        !slice_equal(slice_skip(slice_head(text, (size_t)line), sizeof(FIRST_LINE) - 1),
                     slice_of(host)))
        return false;
    *certificate = slice_skip(slice_head(text, (size_t)begin), (size_t)line + 1);
    *key = slice_skip(text, (size_t)begin);
    return tls_certificate_expiry(*certificate, &ends_ms) == 0 &&
           ends_ms > clock_utc_ms() + (int64_t)LEAST_DAYS * DAY_MS;
}

static bool load(const char *path, const char *host, struct tls_pem *out)
{
    struct buffer text = BUFFER_INIT;
    struct slice certificate, key;
    struct tls_pem pem = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return false;
    if (file_read_all(fd, MAX_BYTES, &text) == 0 &&
        take_apart(buffer_slice(&text), host, &certificate, &key)) {
        pem.certificate = slice_to_string(certificate);
        pem.key = slice_to_string(key);
    }
    close(fd);
    if (text.data)
        secret_wipe(text.data, text.capacity);
    buffer_fini(&text);
    if (!pem.certificate || !pem.key) {
        tls_pem_fini(&pem);
        return false;
    }
    *out = pem;
    return true;
}

static int write_pem(int fd, const char *host, const struct tls_pem *pem)
{
    int error = file_write_all(fd, SLICE_LITERAL(FIRST_LINE));

    if (!error)
        error = file_write_all(fd, slice_of(host));
    if (!error)
        error = file_write_all(fd, SLICE_LITERAL("\n"));
    if (!error)
        error = file_write_all(fd, slice_of(pem->certificate));
    return error ? error : file_write_all(fd, slice_of(pem->key));
}

static int store(const char *path, const char *host, const struct tls_pem *pem)
{
    char fresh[PATH_SIZE + 8];
    int error, fd;

    (void)snprintf(fresh, sizeof(fresh), "%s.new", path);
    (void)unlink(fresh);
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return FAULT(-errno);
    error = write_pem(fd, host, pem);
    if (!error && fdatasync(fd) < 0)
        error = FAULT(-errno);
    close(fd);
    if (!error && rename(fresh, path) < 0)
        error = FAULT(-errno);
    if (error)
        (void)unlink(fresh);
    return error;
}

int service_self_signed(const char *folder, const char *host, struct tls_pem *out)
{
    char path[PATH_SIZE];
    int error;

    (void)snprintf(path, sizeof(path), "%s/self-signed.pem", folder);
    if (load(path, host, out))
        return 0;
    error = tls_make_self_signed(host, out);
    if (!error)
        (void)store(path, host, out);
    return error;
}
