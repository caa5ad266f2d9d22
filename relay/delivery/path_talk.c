/* The conversation: banner, TLS, EHLO, MAIL, RCPT, RSET, QUIT, each told. */
#include <stdio.h>

#include "relay/delivery/path_test.h"
#include "relay/smtp/phase.h"

/* What a step of a phase is called. */
static const char *const phase_steps[SMTP_N_PHASES] = {
    [SMTP_PHASE_CONNECT] = "connect",   [SMTP_PHASE_BANNER] = "banner", [SMTP_PHASE_EHLO] = "ehlo",
    [SMTP_PHASE_STARTTLS] = "starttls", [SMTP_PHASE_TLS] = "starttls",  [SMTP_PHASE_AUTH] = "auth",
    [SMTP_PHASE_MAIL] = "mail",         [SMTP_PHASE_RCPT] = "rcpt",     [SMTP_PHASE_RSET] = "quit",
    [SMTP_PHASE_QUIT] = "quit",
};

static bool is_tls_wanted(const struct path_test *test)
{
    return test->plan.policy.tls != DELIVERY_TLS_MAY && test->plan.policy.tls != DELIVERY_TLS_NEVER;
}

static bool is_verified_wanted(const struct path_test *test)
{
    return test->plan.policy.tls == DELIVERY_TLS_VERIFY;
}

/* ---- its ends ---- */

void path_hang_up(struct path_test *test)
{
    timer_cancel(&test->patience);
    timer_cancel(&test->turn);
    test->stream = stream_free(test->stream);
    if (test->has_client)
        smtp_client_fini(&test->client);
    test->has_client = test->is_starting_tls = false;
}

/* As delivery does: the next address of a host that did not speak, else the next host. */
static void try_another(struct path_test *test)
{
    if (test->has_spoken)
        test->address_at = test->n_addresses;
    else
        test->address_at++;
    path_hang_up(test);
    path_later(test, path_try_host);
}

static void fail_connect(struct path_test *test, const char *reason)
{
    char text[IP_TEXT_SIZE];

    PATH_TELL(test, PATH_CONNECT_FAILED, path_host_name(test),
              ip_print(test->addresses[test->address_at], text), reason ? reason : "failed");
    try_another(test);
}

/* What delivery would do next, in clear, is another connection: one is enough for a test. */
static void fail_tls(struct path_test *test, const char *reason)
{
    PATH_TELL(test, is_tls_wanted(test) ? PATH_TLS_FAILED_WANTED : PATH_TLS_FAILED,
              reason ? reason : "no reason given");
    path_end_one(test);
}

static void lose(struct path_test *test, const char *reason)
{
    const char *const values[PATH_MOST_PARAMS] = {reason};
    const char *step = phase_steps[test->client.phase];

    path_tell(test, PATH_LOST, step ? step : "end", values);
    if (test->is_greeted)
        path_end_one(test);
    else
        try_another(test);
}

static void lose_for(struct path_test *test, const char *reason)
{
    if (!test->has_client)
        fail_connect(test, reason);
    else if (test->is_starting_tls)
        fail_tls(test, reason);
    else
        lose(test, reason ? reason : "Connection lost");
}

void path_lose(struct path_test *test)
{
    lose_for(test, "timed out");
}

static void on_end(void *owner, enum stream_end why, const char *detail)
{
    struct path_test *test = owner;

    if (why != STREAM_CLOSED && test->is_quitting)
        path_end_one(test); /* peers that do not wait for their own 221 */
    else
        lose_for(test, detail);
}

/* ---- speaking ---- */

static void flush(struct path_test *test)
{
    struct buffer *output = smtp_client_output(&test->client);

    if (buffer_error(output) < 0 ||
        (output->len && stream_write(test->stream, buffer_slice(output)) < 0))
        timer_set(&test->patience, 0); /* no memory */
    buffer_clear(output);
}

static void wait(struct path_test *test, enum smtp_phase phase)
{
    int64_t timeout_ms = smtp_phase_timeout_ms(phase);

    timer_set(&test->patience, timeout_ms < PATH_PHASE_MS ? timeout_ms : PATH_PHASE_MS);
}

static void start_tls(struct path_test *test)
{
    const char *host = path_host_name(test);
    char why[TLS_WHY_SIZE] = "no memory";
    struct ip_address ignored;

    if ((!test->tls &&
         tls_client_new(&test->tls, TLS_CLIENT_LOOK, test->delivery->authorities_pem, why) < 0) ||
        stream_start_tls_client(test->stream, test->tls,
                                ip_parse(slice_of(host), &ignored) ? NULL : host) < 0) {
        fail_tls(test, why);
        return;
    }
    test->is_starting_tls = true;
    wait(test, SMTP_PHASE_TLS);
}

static void send_mail(struct path_test *test)
{
    test->to = (struct smtp_client_recipient){.address = slice_of(test->recipient)};
    test->mail = (struct smtp_transaction){
        .sender = slice_of(test->sender),
        .recipients = &test->to,
        .n_recipients = 1,
        .ends_at_rcpt = true,
    };
    test->mail_is_refused = false;
    if (smtp_client_send(&test->client, &test->mail) != 0) {
        lose(test, "the address cannot be said to this host");
        return;
    }
    flush(test);
    wait(test, SMTP_PHASE_MAIL);
}

static void quit(struct path_test *test)
{
    test->is_quitting = smtp_client_quit(&test->client);
    if (!test->is_quitting) {
        path_end_one(test);
        return;
    }
    flush(test);
    wait(test, SMTP_PHASE_QUIT);
}

void path_take_turn(struct path_test *test)
{
    if (test->has_client)
        send_mail(test);
    else
        path_try_host(test);
}

/* ---- what comes ---- */

static void tell_greeted(struct path_test *test)
{
    const struct smtp_client *client = &test->client;

    if (test->plan.policy.tls == DELIVERY_TLS_NEVER)
        PATH_TELL(test, PATH_TLS_NEVER, NULL);
    else if (!client->is_secure && !client->tls_was_refused)
        PATH_TELL(test, PATH_TLS_NOT_OFFERED, NULL);
    if (!client->settings.user.len) /* else its turn has passed */
        PATH_TELL(test, PATH_EHLO_GOOD, test->ehlo_name, test->ehlo);
}

/* MAIL is a message's turn: who counts transactions counts this one. */
static void on_ready(struct path_test *test)
{
    int64_t now_ms = shard_now_ms(test->shard), at_ms;

    if (test->took_message_turn) {
        quit(test);
        return;
    }
    test->is_greeted = true;
    lane_greeted(test->lane, now_ms);
    tell_greeted(test);
    at_ms = lane_turn_ms(test->lane, CLASS_TRANSACTIONAL, now_ms);
    if (at_ms > now_ms + PATH_LONGEST_TURN_MS) {
        PATH_TELL(test, PATH_PACE_NOT_NOW, why_sentence(WHY_MESSAGE_PACE), "");
        quit(test);
        return;
    }
    lane_use_turn(test->lane, CLASS_TRANSACTIONAL, at_ms);
    test->took_message_turn = true;
    timer_cancel(&test->patience);
    timer_set(&test->turn, at_ms - now_ms);
}

/* Not let in; what was said of it is told, unless we are the ones who did not want. */
static void on_refused(struct path_test *test)
{
    const struct smtp_client *client = &test->client;
    char text[PATH_TEXT];

    path_print_reply(&client->reply, text);
    if (client->is_protocol_error || client->reply.code == 0) {
        lose(test, text);
        return;
    }
    if (client->phase == SMTP_PHASE_EHLO)
        PATH_TELL(test, PATH_EHLO_REFUSED, test->ehlo_name, text);
    else if (client->phase == SMTP_PHASE_STARTTLS && !client->tls_was_refused)
        PATH_TELL(test, PATH_TLS_NOT_OFFERED_WANTED, NULL);
    else if (client->phase == SMTP_PHASE_AUTH && !test->is_told)
        PATH_TELL(test, PATH_AUTH_REFUSED, text);
    try_another(test);
}

/* False: the conversation is over, or TLS comes first. */
static bool take_step(struct path_test *test, enum smtp_client_step step)
{
    switch (step) {
    case SMTP_CLIENT_MORE:
        return false;
    case SMTP_CLIENT_START_TLS:
        start_tls(test);
        return false;
    case SMTP_CLIENT_READY:
        on_ready(test);
        return test->has_client;
    case SMTP_CLIENT_RECIPIENT_REPLIED:
    case SMTP_CLIENT_NO_RECIPIENT:
        return true;
    case SMTP_CLIENT_TRANSACTION_FAILED:
        if (!test->client.is_protocol_error)
            return true;
        lose(test, test->client.words);
        return false;
    case SMTP_CLIENT_SESSION_FAILED:
        on_refused(test);
        return false;
    case SMTP_CLIENT_SEND_BODY: /* never: there is no DATA */
    case SMTP_CLIENT_MESSAGE_REPLIED:
    case SMTP_CLIENT_CLOSED:
        path_end_one(test);
        return false;
    }
    return false;
}

static void on_input(void *owner)
{
    struct path_test *test = owner;
    bool goes_on = test->has_client;

    if (!test->has_client)
        stream_discard_input(test->stream);
    test->has_spoken = true;
    while (goes_on) {
        struct slice input = stream_input(test->stream);
        size_t n_before = input.len;
        enum smtp_client_step step;

        test->is_told = false;
        step = smtp_client_feed(&test->client, &input);
        stream_consume(test->stream, n_before - input.len);
        flush(test);
        if (step == SMTP_CLIENT_MORE)
            wait(test, test->client.phase);
        goes_on = take_step(test, step);
    }
}

/* ---- the connection ---- */

static enum smtp_client_tls wanted_tls(const struct path_test *test)
{
    switch (test->plan.policy.tls) {
    case DELIVERY_TLS_VERIFY:
    case DELIVERY_TLS_MUST:
        return SMTP_CLIENT_TLS_MUST;
    case DELIVERY_TLS_MAY:
        return SMTP_CLIENT_TLS_MAY;
    case DELIVERY_TLS_NEVER:
    case DELIVERY_TLS_IMPLICIT:
        break;
    }
    return SMTP_CLIENT_TLS_NEVER;
}

static void begin_smtp(struct path_test *test)
{
    const struct target_policy *policy = &test->plan.policy;
    struct smtp_client_settings settings = {
        .ehlo_name = slice_of(test->ehlo_name),
        .tls = wanted_tls(test),
        .is_secure = policy->tls == DELIVERY_TLS_IMPLICIT,
        .user = policy->user,
        .password = policy->password,
        .auth_in_clear = policy->tls == DELIVERY_TLS_NEVER,
        .heard = path_hear,
        .owner = test,
    };

    slice_copy_to(path_ehlo_name(test), test->ehlo_name, sizeof(test->ehlo_name));
    settings.ehlo_name = slice_of(test->ehlo_name);
    smtp_client_init(&test->client, &settings);
    test->has_client = true;
    wait(test, SMTP_PHASE_BANNER);
}

static void on_connected(void *owner)
{
    struct path_test *test = owner;
    char remote[IP_TEXT_SIZE], local[IP_TEXT_SIZE];

    test->local = socket_address_ip(stream_local_address(test->stream));
    PATH_TELL(test, PATH_CONNECTED, path_host_name(test),
              ip_print(test->addresses[test->address_at], remote), ip_print(test->local, local));
    begin_smtp(test);
    if (test->plan.policy.tls == DELIVERY_TLS_IMPLICIT)
        start_tls(test);
}

static void on_secured(void *owner)
{
    struct path_test *test = owner;
    const char *tls = stream_describe_tls(test->stream),
               *trouble = stream_tls_trouble(test->stream);

    test->is_starting_tls = false;
    if (trouble && is_verified_wanted(test)) {
        PATH_TELL(test, PATH_TLS_UNVERIFIED_WANTED, tls, trouble);
        path_end_one(test);
        return;
    }
    PATH_TELL(test, trouble ? PATH_TLS_UNVERIFIED : PATH_TLS_VERIFIED, tls, trouble);
    if (test->plan.policy.tls != DELIVERY_TLS_IMPLICIT) {
        smtp_client_tls_started(&test->client);
        flush(test);
    }
    wait(test, SMTP_PHASE_EHLO);
}

static const struct stream_handlers handlers = {
    .on_connected = on_connected,
    .on_input = on_input,
    .on_secured = on_secured,
    .on_end = on_end,
};

static void name_ends(struct path_test *test)
{
    struct slice postmaster = test->config->postmaster, name = path_ehlo_name(test);

    if (postmaster.len)
        slice_copy_to(postmaster, test->sender, sizeof(test->sender));
    else
        snprintf(test->sender, sizeof(test->sender), "postmaster@%.*s", (int)name.len, name.data);
    slice_copy_to(slice_of(test->request->address), test->recipient, sizeof(test->recipient));
}

void path_connect(struct path_test *test, const struct address_pair *pair)
{
    test->has_spoken = test->is_quitting = false;
    name_ends(test);
    if (stream_connect(&test->stream, test->shard->loop, pair, &handlers, test) < 0) {
        PATH_TELL(test, PATH_NO_MEMORY, NULL);
        path_end(test);
        return;
    }
    wait(test, SMTP_PHASE_CONNECT);
}
