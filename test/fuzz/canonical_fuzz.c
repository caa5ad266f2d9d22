/* Any message with clean line ends: libopendkim, which canonicalises its own way, must find our
 * signature good, however the reader's pieces fall. */
#include "test/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "policy/judge.h"
#include "relay/base/crc32c.h"
#include "signer/dns_record.h"
#include "signer/sign.h"

static struct signing_desk *desk;
static struct judge *judge;
static struct signing_key key = {
    .name = {"example.com", "s"},
      .type = DKIM_KEY_ED25519
};
static EVP_PKEY *private;
static struct buffer record_text;

static void start(void)
{
    CLEANUP(buffer) struct buffer public_half = BUFFER_INIT;
    struct dkim_record record = {.type = DKIM_KEY_ED25519};

    PROMISE(signing_desk_new(&desk) == 0 && judge_new(&judge) == 0);
    PROMISE(private_key_generate(&private, DKIM_KEY_ED25519) == 0);
    PROMISE(private_key_public_half(private, DKIM_KEY_ED25519, &public_half) == 0);
    record.public_half = buffer_slice(&public_half);
    dkim_record_print_value(&record_text, &record);
}

/* What intake lets through: lines end with CRLF, no NUL, CR or LF alone.  VT and FF are left out
 * too: libopendkim takes them for blanks, RFC 6376 does not. */
static void clean(struct slice bytes, struct buffer *out)
{
    buffer_append_text(out, "From: f@example.com\r\n");
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.data[i];

        if (c == '\n')
            buffer_append_text(out, "\r\n");
        else if (c != '\r' && c != '\0' && c != '\v' && c != '\f')
            buffer_append_byte(out, c);
    }
    buffer_append_text(out, "\r\n");
    if (slice_search(buffer_slice(out), SLICE_LITERAL("\r\n\r\n")) < 0)
        buffer_append_text(out, "\r\n");
}

static void sign(struct slice message, struct buffer *out)
{
    int fd = memfd_create("message", MFD_CLOEXEC);
    struct message_reader reader = MESSAGE_READER_INIT;
    struct sign_input input = {.prefix = SLICE_LITERAL(""),
                               .message = &reader,
                               .domain = "example.com",
                               .keys = {&key},
                               .privates = {private},
                               .n_keys = 1,
                               .now_s = 1700000000};

    PROMISE(write(fd, message.data, message.len) == (ssize_t)message.len);
    message_reader_start(&reader, fd, 0, message.len, crc32c(0, message));
    PROMISE(sign_natively(desk, &input, out) == 0);
    message_reader_fini(&reader);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer message = BUFFER_INIT, header = BUFFER_INIT;
    struct judge_record record;
    struct judge_verdict verdict;

    if (!desk)
        start();
    clean(slice_from(data, size), &message);
    sign(buffer_slice(&message), &header);
    record = (struct judge_record){slice_of(key.name.domain), slice_of(key.name.selector),
                                   buffer_slice(&record_text)};
    judge_message(judge, (struct slice[]){buffer_slice(&header), buffer_slice(&message)}, 2,
                  &record, 1, &verdict);
    /* ERROR: the library refuses to read such a header.  More than one: the input had its own. */
    PROMISE(verdict.result == JUDGE_ERROR || verdict.n_good >= 1);
    buffer_fini(&message);
    buffer_fini(&header);
    return 0;
}
