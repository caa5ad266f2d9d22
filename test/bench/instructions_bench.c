/* One message through each stage, for callgrind: instructions.py counts what our own objects
 * execute between the marks and compares with instructions.json.  Fixed inputs, no network; what
 * libraries do (OpenSSL, SQLite, libc) depends on the machine and is not counted.
 *   bench_instructions        under `valgrind --tool=callgrind --instr-atstart=no` */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#define CALLGRIND_DUMP_STATS_AT(name) (void)(name)
#endif

#include "relay/base/crc32c.h"
#include "relay/base/log.h"
#include "relay/base/secret.h"
#include "relay/intake/collector.h"
#include "relay/message/dsn.h"
#include "relay/message/render.h"
#include "relay/smtp/client_session.h"
#include "relay/smtp/server_session.h"
#include "relay/spool/queue_id.h"
#include "relay/spool/spool.h"
#include "signer/sign.h"

enum { MESSAGES = 20, BODY_BYTES = 20000, NETWORK_CHUNK = 4096 };

static struct buffer message; /* with dots nowhere at the beginning of a line */

static void check(int error)
{
    if (error) {
        fprintf(stderr, "bench_instructions: %s\n", strerror(-error));
        exit(1);
    }
}

static void make_message(void)
{
    buffer_append_text(&message,
                       "From: Shop news <news@shop.example>\r\nTo: <r0000001@customers.example>\r\n"
                       "Subject: Offers of the week for the garden and the house\r\n"
                       "Date: Sun, 22 Nov 2026 17:25:03 +0000\r\n"
                       "Message-ID: <0000000000000001@shop.example>\r\nMIME-Version: 1.0\r\n"
                       "Content-Type: text/html; charset=us-ascii\r\n"
                       "List-Unsubscribe: <https://shop.example/u/1>\r\n"
                       "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\n");
    while (message.len < BODY_BYTES)
        buffer_append_text(&message, "<p>Words of a newsletter, as many as fit in a line.</p>\r\n");
    check(buffer_error(&message));
}

/* ---- intake: the server's session and what collects the body */

static void add_trace(void *owner, struct buffer *out)
{
    (void)owner;
    buffer_append_text(out, "Received: from client.example by relay.example with ESMTPS;\r\n"
                            "\tSun, 22 Nov 2026 17:25:03 +0000\r\n");
}

static void on_written(void *owner)
{
    (void)owner;
}

struct intake {
    struct smtp_server server;
    struct collector collector;
    struct collector_owner owner;
    struct message_memory memory;
};

static void intake_step(struct intake *intake, enum smtp_step step)
{
    if (step == SMTP_STEP_BODY_BEGINS)
        collector_begin(&intake->collector, &intake->owner, NULL, NULL, &intake->memory);
    if (step == SMTP_STEP_BODY && !collector_add(&intake->collector, intake->server.chunk))
        check(-EIO);
    if (step == SMTP_STEP_MESSAGE_ENDS &&
        (!collector_close(&intake->collector) || !collector_drop(&intake->collector)))
        check(-EIO);
    if (smtp_server_awaits_decision(&intake->server))
        smtp_server_decide(&intake->server, step == SMTP_STEP_BODY_BEGINS
                                                ? SMTP_REPLY(354, 0, 0, 0, "Go on")
                                                : SMTP_REPLY(250, 2, 0, 0, "Ok"));
}

static void intake_feed(struct intake *intake, struct slice text)
{
    while (text.len > 0) {
        struct slice piece = slice_head(text, NETWORK_CHUNK), input = piece;
        enum smtp_step step;

        do {
            step = smtp_server_feed(&intake->server, &input);
            intake_step(intake, step);
            buffer_clear(smtp_server_output(&intake->server));
        } while (step != SMTP_STEP_MORE);
        text = slice_skip(text, piece.len);
    }
}

static void stage_intake(void)
{
    static struct intake intake = {
        .owner = {.add_trace = add_trace, .on_written = on_written, .hostname = "relay.example"}
    };
    const struct smtp_server_settings settings = {
        .hostname = SLICE_LITERAL("relay.example"), .size_limit = 50000000, .max_recipients = 1000};

    atomic_store(&intake.memory.limit, 1 << 30);
    smtp_server_init(&intake.server, &settings);
    smtp_server_greet(&intake.server);
    intake_feed(&intake, SLICE_LITERAL("EHLO client.example\r\n"));
    for (int i = 0; i < MESSAGES; i++) {
        intake_feed(&intake, SLICE_LITERAL("MAIL FROM:<news@shop.example>\r\n"
                                           "RCPT TO:<r0000001@customers.example>\r\nDATA\r\n"));
        intake_feed(&intake, buffer_slice(&message));
        intake_feed(&intake, SLICE_LITERAL(".\r\n"));
    }
    smtp_server_fini(&intake.server);
}

/* ---- queue: one append after the other, both threads, the database's own code apart */

static struct spool *spool;
static struct mailbox *answers;
static char dir[] = "/tmp/bench-instructions.XXXXXX";
static bool is_appended;

static void be_silent(void *owner, const struct event *event)
{
    (void)owner, (void)event;
}

static void on_appended(struct spool_append *append)
{
    check(append->result);
    is_appended = true;
}

static void prepare_queue(void)
{
    const struct spool_settings settings = {.dir = dir};

    event_set_sink(be_silent, NULL);
    if (!mkdtemp(dir))
        check(-errno);
    check(mailbox_new(&answers, 16));
    check(spool_start(&spool, &settings));
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

static void end_queue(void)
{
    spool_stop(spool);
    mailbox_free(answers);
    nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void append_one(void)
{
    static const struct recipient recipient = {.address =
                                                   SLICE_LITERAL("r0000001@customers.example")};
    const struct slice piece = buffer_slice(&message);
    struct envelope envelope = {.id = queue_id_new(),
                                .user = SLICE_LITERAL("news"),
                                .sender = SLICE_LITERAL("news@shop.example"),
                                .arrived_utc_ms = 1795368303000,
                                .expires_utc_ms = 1795368303000 + 432000000,
                                .n_recipients = 1,
                                .recipients = &recipient};
    struct spool_append append = {.answer_to = answers,
                                  .done = on_appended,
                                  .envelope = &envelope,
                                  .header_bytes = 400,
                                  .pieces = &piece,
                                  .n_pieces = 1};

    is_appended = false;
    if (!spool_append(spool, &append))
        check(-EIO);
    while (!is_appended) {
        mailbox_wait(answers, -1);
        mailbox_run(answers);
    }
}

static void stage_queue(void)
{
    for (int i = 0; i < MESSAGES; i++)
        append_one();
}

/* ---- checksum of what is stored and read again */

static void stage_checksum(void)
{
    volatile uint32_t sum = 0;

    for (int i = 0; i < MESSAGES; i++)
        sum = crc32c(sum, buffer_slice(&message));
}

/* ---- signature: canonical forms and fields; the arithmetic is libcrypto's */

static struct signing_key key = {
    .name = {"shop.example", "s1"},
      .type = DKIM_KEY_RSA
};
static EVP_PKEY *private_key;
static int message_fd;

static void prepare_sign(void)
{
    check(private_key_generate(&private_key, key.type));
    message_fd = memfd_create("message", MFD_CLOEXEC);
    if (write(message_fd, message.data, message.len) != (ssize_t)message.len)
        check(-EIO);
}

static void stage_sign(void)
{
    struct message_reader reader = MESSAGE_READER_INIT;
    CLEANUP(buffer) struct buffer out = BUFFER_INIT;
    struct signing_desk *desk;
    const struct sign_input input = {.message = &reader,
                                     .domain = "shop.example",
                                     .keys = {&key},
                                     .privates = {private_key},
                                     .n_keys = 1,
                                     .now_s = 1795368303};

    check(signing_desk_new(&desk));
    for (int i = 0; i < MESSAGES; i++) {
        buffer_clear(&out);
        message_reader_start(&reader, message_fd, 0, message.len,
                             crc32c(0, buffer_slice(&message)));
        check(sign_natively(desk, &input, &out));
    }
    signing_desk_free(desk);
    message_reader_fini(&reader);
}

/* ---- delivery: what is rendered, and the client's session */

static ssize_t read_message(void *owner, uint64_t offset, void *out, size_t len)
{
    const struct slice rest = slice_head(slice_skip(buffer_slice(&message), offset), len);

    (void)owner;
    memcpy(out, rest.data, rest.len);
    return (ssize_t)rest.len;
}

static void send_body(struct smtp_client *client)
{
    static char room[16384];
    struct render render;
    struct slice piece;

    render_init(&render, SLICE_LITERAL("DKIM-Signature: v=1; a=rsa-sha256; d=shop.example\r\n"),
                (struct render_reader){read_message, NULL}, message.len);
    while (render_length(&render) > 0) {
        check(render_next(&render, room, sizeof(room), &piece));
        check(smtp_client_body(client, piece));
        buffer_clear(smtp_client_output(client));
    }
    check(smtp_client_body_end(client));
}

static enum smtp_client_step client_hear(struct smtp_client *client, const char *text)
{
    struct slice input = slice_of(text);
    enum smtp_client_step step, last = SMTP_CLIENT_MORE;

    while ((step = smtp_client_feed(client, &input)) != SMTP_CLIENT_MORE)
        last = step;
    buffer_clear(smtp_client_output(client));
    return last;
}

static void expect(enum smtp_client_step step, enum smtp_client_step wanted)
{
    if (step != wanted)
        check(-EPROTO);
}

static void stage_deliver(void)
{
    static const struct smtp_client_recipient recipient = {
        .address = SLICE_LITERAL("r0000001@customers.example")};
    const struct smtp_transaction transaction = {.sender = SLICE_LITERAL("news@shop.example"),
                                                 .size = message.len,
                                                 .recipients = &recipient,
                                                 .n_recipients = 1};
    const struct smtp_client_settings settings = {.ehlo_name = SLICE_LITERAL("relay.example")};
    struct smtp_client client;

    smtp_client_init(&client, &settings);
    client_hear(&client, "220 mx.example ESMTP\r\n");
    expect(client_hear(&client, "250-mx.example\r\n250-PIPELINING\r\n250 SIZE 60000000\r\n"),
           SMTP_CLIENT_READY);
    for (int i = 0; i < MESSAGES; i++) {
        check(smtp_client_send(&client, &transaction));
        expect(client_hear(&client, "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go on\r\n"),
               SMTP_CLIENT_SEND_BODY);
        send_body(&client);
        client_hear(&client, "250 2.0.0 Ok: taken\r\n");
    }
    smtp_client_fini(&client);
}

/* ---- a report, and the lines of the log */

static void stage_report(void)
{
    static const struct dsn_recipient recipient = {
        .address = SLICE_LITERAL("r0000001@customers.example"),
        .action = DSN_FAILED,
        .status = SLICE_LITERAL("5.1.1"),
        .remote_mta = SLICE_LITERAL("mx.customers.example"),
        .diagnostic = SLICE_LITERAL("550 5.1.1 No such user"),
        .last_attempt_utc_ms = 1795368303000};
    const struct dsn dsn = {.hostname = SLICE_LITERAL("relay.example"),
                            .sender = SLICE_LITERAL("news@shop.example"),
                            .queue_id = SLICE_LITERAL("7Q2F"),
                            .report_id = SLICE_LITERAL("8ABC"),
                            .arrival_utc_ms = 1795368303000,
                            .now_utc_ms = 1795368363000,
                            .original = slice_head(buffer_slice(&message), 400),
                            .recipients = &recipient,
                            .n_recipients = 1};
    CLEANUP(buffer) struct buffer out = BUFFER_INIT;
    struct dsn_facts facts;

    for (int i = 0; i < MESSAGES; i++) {
        buffer_clear(&out);
        check(dsn_write(&dsn, &out, &facts));
    }
}

static void stage_log(void)
{
    const struct event_field fields[] = {
        field_text("msg", "06KQ5M3X7V"),
        field_number("rcpt", 1),
        field_text("to", "r0000001@customers.example"),
        field_text("site", "mx.customers.example"),
        field_text("mx", "mx.customers.example[192.0.2.1]:25"),
        field_text("tls", "none"),
        field_number("code", 250),
        field_text("reply", "2.0.0 Ok: taken"),
        field_seconds("secs", 12),
    };
    const struct event event = {.kind = EVENT_DELIVERED,
                                .utc_ms = 1795368303000,
                                .n_fields = sizeof(fields) / sizeof(*fields),
                                .fields = fields};
    CLEANUP(buffer) struct buffer out = BUFFER_INIT;

    for (int i = 0; i < MESSAGES; i++)
        log_format_event(&out, LOG_FORMAT_LOGFMT, &event);
    check(buffer_error(&out));
}

/* The first round fills caches and tables; the second is counted. */
static void count(const char *name, void (*stage)(void))
{
    stage();
    CALLGRIND_START_INSTRUMENTATION;
    stage();
    CALLGRIND_STOP_INSTRUMENTATION;
    CALLGRIND_DUMP_STATS_AT(name);
}

int main(void)
{
    check(secret_start());
    make_message();
    prepare_sign();
    prepare_queue();
    count("intake", stage_intake);
    count("queue", stage_queue);
    count("checksum", stage_checksum);
    count("sign", stage_sign);
    count("deliver", stage_deliver);
    count("report", stage_report);
    count("log", stage_log);
    end_queue();
    EVP_PKEY_free(private_key);
    close(message_fd);
    buffer_fini(&message);
    return 0;
}
